// Generated from the server's types; a test compares. Do not edit.

/** A key that was stored. */
export interface AddedKey {
  /** the key */
  key: KeyRow;
  /** what the check found, in words for a person */
  message: string;
  /** the models that it unlocks */
  models: Array<string>;
}

/** The figures of a range. */
export interface Analytics {
  /** how far back */
  range: "1h" | "24h" | "30d" | "7d" | "90d";
  /** what the groups are */
  by: "key" | "model" | "provider";
  /** Unix time at which the series begins */
  since: number;
  /** Unix time at which it ends */
  until: number;
  /** seconds of one step */
  step: number;
  /** over all requests */
  totals: Tally;
  /** over the range before it, to compare with */
  before: Earlier;
  /** the most requests first */
  groups: Array<Group>;
  /** the steps in order, empty ones included */
  series: Array<Moment>;
  /** why attempts failed, the most frequent first */
  fallbacks: Array<Reason>;
}

/** Which figures. */
export interface AnalyticsQuery {
  /** how far back */
  range?: "1h" | "24h" | "30d" | "7d" | "90d";
  /** what the groups are */
  by?: "key" | "model" | "provider";
}

/** One request to a provider. */
export interface Attempt {
  /** 1 for the first */
  number: number;
  /** who was asked */
  provider: string;
  /** for which model */
  model: string;
  /** the id of the key */
  key: string;
  /** what the user calls the key */
  key_label: string | null;
  /** the kind of failure, or `ok`, or `cancelled` when the client left during its answer */
  kind: string;
  /** the provider's HTTP status; null: there was no answer */
  status: number | null;
  /** Unix time */
  started: number;
  /** milliseconds to the first byte */
  first_byte_ms: number | null;
  /** milliseconds until it was over */
  duration_ms: number | null;
  /** the provider's own words, without secrets */
  message: string;
  /** what was used of its quotas then */
  quota: string;
  /** how many routes had been passed over before it */
  passed_over: number;
}

/** How a quota was spent, by the request log, and how it will be at the present rate. */
export interface Burndown {
  /** the quota as it is now */
  pool: PoolForecast;
  /** Unix time at which the line begins */
  since: number;
  /** the line up to now; empty without a limit */
  past: Array<Point>;
  /** the line from now until the quota resets or is spent */
  future: Array<Point>;
}

/** Which quota. */
export interface BurndownQuery {
  /** its identity, as in `PoolForecast.pool` */
  pool: string;
}

/** What is to be opened again. */
export interface Clear {
  /** a provider, a model, a route, a key or a pool, as in `Cooldown.what` */
  name: string;
}

/** What was opened again. */
export interface Cleared {
  /** what was named */
  name: string;
  /** what was closed and is open now */
  cleared: Array<string>;
}

/** One column of a table. */
export interface Column {
  /** its heading */
  title: string;
  /** what is in it; `time` is Unix time, `percent` is 0 to 1 */
  kind: "code" | "number" | "percent" | "text" | "time";
  /** the unit of its numbers */
  unit: string;
}

/** What keeps a route closed. */
export interface Cooldown {
  /** the route, the model, the key or the provider, such as `model lab/a`: the name by which it is cleared */
  what: string;
  /** the kind of failure that brought it */
  kind: string | null;
  /** whether the service said for how long; else it is a guess */
  stated: boolean;
  /** Unix time */
  until: number;
}

/** What a provider does with prompts on its free tier. */
export interface DataUse {
  /** whether it may learn from them; null is unknown */
  trains: boolean | null;
  /** one sentence */
  note: string;
  /** where this is stated */
  source: string;
  /** the day it was read */
  checked: string;
}

/** It is done. */
export interface Done {
  /** true */
  done: boolean;
}

/** What became of the requests of the range before, to compare with. */
export interface Earlier {
  /** requests of clients */
  requests: number;
  /** the share that got an answer of those that waited for one, 0 to 1; null without any */
  success: number | null;
  /** requests to providers */
  attempts: number;
  /** tokens of prompts */
  input_tokens: number;
  /** tokens of answers */
  output_tokens: number;
}

/** One route, and why it would or would not serve the request. */
export interface Explained {
  /** `provider/model`, as in `X-Routed-Via` */
  route: string;
  /** the provider instance */
  provider: string;
  /** the provider's own id of the model */
  model: string;
  /** the key's id; null: the entry has no route of its own to show */
  key: string | null;
  /** what the user calls the key */
  label: string | null;
  /** whether it serves */
  verdict: "closed" | "next" | "serves" | "unable";
  /** for a route that is passed over, if only until guesses are put to the test, why, for programs */
  reason: string | null;
  /** why, for people */
  detail: string;
  /** Unix time at which it will do; null: now, or waiting does not help */
  opens_at: number | null;
  /** what is reserved for the input, as this model counts */
  input_tokens: number;
  /** what is reserved for the output */
  output_tokens: number;
  /** the ceiling that is reserved where the service charges one */
  max_tokens: number;
  /** tokens of the model's window; null is unknown */
  context: number | null;
  /** the abilities that the request needs and the model lacks */
  missing: Array<string>;
  /** places it is sunk by */
  penalty: number;
  /** the state of the model's breaker */
  breaker: "closed" | "half-open" | "open";
  /** what keeps it closed */
  cooldowns: Array<Cooldown>;
  /** the size that it refused lately; it gets none as large */
  refused_tokens: number | null;
  /** its pools */
  quotas: Array<Quota>;
}

/** What would become of a request. */
export interface Explanation {
  /** the `model` it asks for */
  requested: string;
  /** Unix time it is true of */
  at: number;
  /** the route that is asked first; null: none is open */
  serves: string | null;
  /** the route that answered the conversation last, if it is known */
  sticky: string | null;
  /** when none is open, what the client is told */
  refusal: string | null;
  /** every route, in order */
  routes: Array<Explained>;
}

/** The order in which `auto` tries the models. */
export interface Fallback {
  /** the models, the first one first */
  order: Array<FallbackEntry>;
  /** what `auto` goes by; `priority` is this order */
  strategy: string;
  /** the strategies on offer */
  strategies: Array<string>;
}

/** One model in the order. */
export interface FallbackEntry {
  /** from 1 */
  place: number;
  /** `provider/model` */
  name: string;
  /** the provider's id */
  provider: string;
  /** the model's id */
  model: string;
  /** its name for people */
  title: string;
  /** whether you gave it its place */
  by_hand: boolean;
  /** 1 is best; null is unknown */
  intelligence_rank: number | null;
  /** 1 is best; null is unknown */
  speed_rank: number | null;
  /** whether a request could be sent to it now */
  available: boolean;
  /** why not, in words */
  unavailable_because: string | null;
  /** Unix time at which it could */
  opens_at: number | null;
}

/** A new order. */
export interface FallbackOrder {
  /** `provider/model`, the first one first; models that are left out keep their order behind these */
  order: Array<string>;
}

/** An order by rule. */
export interface FallbackSort {
  /** `reset` forgets every place you gave */
  by: "intelligence" | "reset" | "speed";
}

/** One field of a provider's form. */
export interface Field {
  /** what it is called in `NewKey.fields` */
  name: string;
  /** its label */
  title: string;
  /** whether it is hidden while it is typed */
  secret: boolean;
  /** where to find it */
  help: string;
  /** a regular expression that a value is expected to match; a mismatch is worth a warning and no more */
  pattern: string | null;
}

/** One figure. */
export interface Figure {
  /** what it is */
  label: string;
  /** its value; null is unknown */
  value: number | string | null;
  /** its unit, such as `ms`; `percent` takes values from 0 to 1 */
  unit: string;
  /** one more sentence */
  note: string;
  /** whether it is good news */
  tone: "bad" | "good" | "neutral" | "warning";
}

/** Figures side by side. */
export interface Figures {
  type: "figures";
  /** the heading */
  title: string;
  /** the figures */
  figures: Array<Figure>;
}

/** Something to be done. */
export interface Fix {
  /** how bad it is */
  severity: "error" | "info" | "warning";
  /** what is wrong */
  title: string;
  /** why */
  detail: string;
  /** what to press */
  action: string;
  /** the page that does it */
  href: string;
}

/** The figures of one provider, model or key: of the requests that it answered last. */
export interface Group {
  /** its id; empty: nobody was asked */
  name: string;
  /** its name for people */
  title: string;
  /** the figures */
  tally: Tally;
  /** requests to it */
  attempts_made: number;
  /** how many of these failed */
  attempts_failed: number;
  /** requests in each of `Analytics.series` */
  requests: Array<number>;
}

/** The text of a `.env` file. */
export interface Import {
  /** the text */
  text: string;
  /** true says what would be taken, asks nobody and stores nothing */
  preview?: boolean;
  /** false stores the keys without asking the providers */
  check?: boolean;
}

/** What becomes of the file. */
export interface Imported {
  /** whether it is what would become of it */
  preview: boolean;
  /** the keys that were found */
  keys: Array<ImportedKey>;
  /** the variables that are left alone */
  ignored: Array<string>;
}

/** What becomes of one key of the file. */
export interface ImportedKey {
  /** whose key it is */
  provider: string;
  /** the variable, or the variables joined by `+` */
  variable: string;
  /** `take` (a preview), `stored`, `known` (stored before), `refused` or `wrong` */
  outcome: "known" | "refused" | "stored" | "take" | "wrong";
  /** as much of it as tells it from others */
  masked: string;
  /** why, in words for a person */
  reason: string;
  /** the stored key's id */
  id: string | null;
  /** what the check found */
  state: "invalid" | "orphaned" | "unreadable" | "untested" | "valid" | null;
}

/** One way to install more. */
export interface Install {
  /** what it does */
  title: string;
  /** the command */
  command: string;
}

/** What is to change of a key; what is left out stays. */
export interface KeyChange {
  /** whether it may be used */
  enabled?: boolean | null;
  /** what you call it */
  label?: string | null;
  /** whether it is on a paid plan */
  unlimited?: boolean | null;
}

/** One key; nothing of it is secret. */
export interface KeyRow {
  /** its id; `env:…` is one of the environment, `keyless:…` none at all */
  id: string;
  /** the provider's id */
  provider: string;
  /** the provider's name for people */
  title: string;
  /** what the user calls it */
  label: string;
  /** as much of the key as tells it from others, such as `gsk_…7f3a`; empty when there is nothing to show */
  masked: string;
  /** where it is kept */
  source: "environment" | "keyless" | "stored";
  /** what is known of it; `untested` is no good sign and no bad one */
  state: "invalid" | "orphaned" | "unreadable" | "untested" | "valid";
  /** why, in words for a person */
  reason: string;
  /** what to do about it; null: nothing is needed */
  fix: string | null;
  /** Unix time of the last check */
  checked_at: number | null;
  /** whether it is on a paid plan: its use is counted, never refused */
  unlimited: boolean;
  /** whether it may be used */
  enabled: boolean;
  /** whether it can be changed and removed here */
  editable: boolean;
  /** where it is sent */
  base_url: string;
  /** the models that it unlocks */
  models: Array<string>;
  /** what of it takes no requests for now */
  closed: Array<Cooldown>;
}

/** Every key there is. */
export interface Keys {
  /** stored ones first */
  keys: Array<KeyRow>;
}

/** What is left until a moment. */
export interface Left {
  /** Unix time */
  until: number;
  /** typical requests */
  requests: number;
  /** the tokens of these */
  tokens: number;
}

/** One line of a chart. */
export interface Line {
  /** its name */
  name: string;
  /** a value for each moment; null is a gap */
  values: Array<number | null>;
}

/** Which requests to list. */
export interface LogQuery {
  /** the `next` of the page before; null is the first page */
  before?: string | null;
  /** how many */
  limit?: number;
  /** who answered */
  provider?: string | null;
  /** the provider's own id of the model */
  model?: string | null;
  /** the id of the key */
  key?: string | null;
  /** what the client got */
  outcome?: "all" | "failed" | "fell_back" | "ok";
  /** a piece of the id, of what was asked for, of the model, or of the error */
  q?: string;
  /** the largest of these first */
  sort?: "attempts" | "created" | "duration_ms" | "first_delta_ms" | "output_tokens";
  /** Unix time; no earlier ones */
  since?: number | null;
}

/** Sign in with one of the two. */
export interface Login {
  /** the password */
  password?: string | null;
  /** the token of a one-time link */
  token?: string | null;
}

/** What was measured of a model lately. */
export interface Measured {
  /** the share of attempts that went well, 0 to 1 */
  success: number | null;
  /** milliseconds to the first token */
  first_ms: number | null;
  /** tokens a second from then on */
  tokens_per_second: number | null;
}

/** One limit of a model, over all keys. */
export interface ModelLimit {
  /** what is counted */
  unit: string;
  /** seconds; null: at once */
  window: number | null;
  /** what is spent */
  used: number;
  /** what there is; null is unknown */
  limit: number | null;
  /** what is left; null is unknown */
  left: number | null;
  /** Unix time at which all of it is there again if nothing more is spent */
  resets_at: number | null;
  /** whether other models draw on it, too */
  shared: boolean;
}

/** One model at one provider. */
export interface ModelRow {
  /** `provider/model` */
  name: string;
  /** the provider's id */
  provider: string;
  /** the provider's name for people */
  provider_title: string;
  /** the provider's own id of the model */
  model: string;
  /** its name for people */
  title: string;
  /** the models that answer for it at other providers */
  family: string;
  /** what it does */
  task: "chat" | "embeddings";
  /** what it can do */
  abilities: Array<"json" | "json_schema" | "reasoning" | "system" | "tools" | "vision">;
  /** of embeddings, the lengths of vector */
  dimensions: Array<number>;
  /** tokens of its window; null is unknown */
  context: number | null;
  /** tokens of output at most; null is unknown */
  max_output: number | null;
  /** whether it is served for free */
  status: "active" | "listed" | "paid-only" | "retired" | "unverified";
  /** whether it is used */
  state: "no key" | "off" | "on";
  /** why it is not, or what is special */
  why: string;
  /** one sentence about it */
  note: string;
  /** whether it is switched on */
  enabled: boolean;
  /** its place in the order in which `auto` tries models, from 1; null: it is not tried */
  place: number | null;
  /** whether you gave it its place */
  by_hand: boolean;
  /** 1 is best; null is unknown */
  intelligence_rank: number | null;
  /** 1 is best; null is unknown */
  speed_rank: number | null;
  /** whether a request could be sent to it now */
  available: boolean;
  /** why not, in words */
  unavailable_because: string | null;
  /** Unix time at which it could */
  opens_at: number | null;
  /** its limits in words */
  limits: Array<string>;
  /** its limits in numbers; empty without a key */
  quotas: Array<ModelLimit>;
  /** what was measured of it */
  measured: Measured | null;
}

/** Models to switch on or off. */
export interface ModelSwitch {
  /** models' ids, families or `provider/model` */
  models: Array<string>;
  /** whether they are to be on */
  enabled: boolean;
}

/** Models. */
export interface Models {
  /** those with a place first */
  models: Array<ModelRow>;
}

/** One step of the time series. */
export interface Moment {
  /** Unix time at which it begins */
  at: number;
  /** requests of clients */
  requests: number;
  /** how many of these got no answer, and did not leave before */
  failed: number;
  /** requests to providers */
  attempts: number;
  /** tokens of prompts */
  input_tokens: number;
  /** tokens of answers */
  output_tokens: number;
  /** latency; null without answers */
  p50_ms: number | null;
  /** latency; null without answers */
  p95_ms: number | null;
  /** to the first delta; null without streams */
  first_p50_ms: number | null;
  /** to the first delta; null without streams */
  first_p95_ms: number | null;
}

/** A key to add; it is checked first and not stored when the provider refuses it. */
export interface NewKey {
  /** whose it is */
  provider: string;
  /** its fields by name; a key of several parts in the one-line form may stand in the first */
  fields?: Record<string, string>;
  /** what you call it */
  label?: string;
  /** whether it is on a paid plan */
  unlimited?: boolean;
  /** false stores it without asking the provider */
  check?: boolean;
  /** where to send it, when that is not the provider's own base URL; a server of your own needs one */
  base_url?: string | null;
  /** what a server of your own is called */
  name?: string | null;
  /** how many requests at once a server of your own takes */
  concurrent?: number | null;
}

/** Set, change or remove the password. */
export interface NewPassword {
  /** the new one; null removes it */
  password: string | null;
  /** the one that is set now, if any is */
  current?: string | null;
}

/** What `GET /api/events` tells: something changed; the client asks for it again. */
export interface Notice {
  /** what changed, and the name of the event; `hello` comes first, `signed-out` last */
  kind: "activity" | "hello" | "keys" | "models" | "quotas" | "request" | "signed-out";
  /** Unix time */
  at: number;
  /** of `activity`, how many requests are being served */
  under_way: number | null;
  /** of `activity`, the Unix time at which the last request that is over came */
  last: number | null;
  /** of `request`, the ids of those that the log has now, the last 50 of them */
  ids: Array<string>;
}

/** The state of everything. */
export interface Overview {
  /** Unix time this is true of */
  at: number;
  /** whether a request would be answered */
  readiness: Readiness;
  /** what is left over all providers */
  totals: Totals;
  /** how each is doing */
  providers: Array<ProviderHealth>;
  /** requests that are being served */
  under_way: Array<UnderWay>;
  /** the last 20 requests, the newest first */
  last: Array<RequestRow>;
  /** what takes no requests for now, the next to open first */
  closed: Array<Cooldown>;
  /** what is to be done, the worst first */
  fixes: Array<Fix>;
  /** the first steps */
  steps: Array<Step>;
  /** whether every provider is simulated */
  demo: boolean;
}

/** A panel as it is now. */
export interface Panel {
  /** what it is asked for by */
  id: string;
  /** its name */
  title: string;
  /** what it shows, in five words */
  subtitle: string;
  /** Unix time this is true of */
  at: number;
  /** what it shows, from top to bottom */
  blocks: Array<Figures | Table | Series | Text>;
}

/** One panel. */
export interface PanelCard {
  /** what it is asked for by */
  id: string;
  /** its name */
  title: string;
  /** what it shows, in five words */
  subtitle: string;
}

/** Every panel. */
export interface PanelList {
  /** by title */
  panels: Array<PanelCard>;
}

/** A route that was not asked, and why. */
export interface PassedOver {
  /** `provider/model` */
  name: string;
  /** the id of its key; null: every key */
  key: string | null;
  /** what the user calls the key */
  key_label: string | null;
  /** why, for programs */
  cause: string;
  /** why, for people */
  detail: string;
  /** Unix time at which it would do; null: waiting does not help */
  opens_at: number | null;
}

/** One installed plugin. */
export interface PluginRow {
  /** its name */
  id: string;
  /** what it is */
  kind: "command" | "plugin" | "provider";
  /** the distribution that brings it */
  package: string;
  /** the distribution's version */
  version: string;
  /** the distribution's own sentence about itself */
  summary: string;
  /** whether it is used */
  status: "disabled" | "loaded" | "on demand" | "quarantined" | "refused";
  /** the hooks that it answers */
  hooks: Array<string>;
  /** why it is not used, and the cure */
  reason: string;
}

/** Every installed plugin. */
export interface Plugins {
  /** the plugins */
  plugins: Array<PluginRow>;
  /** where single-file plugins are put */
  folder: string;
  /** how to install more */
  install: Array<Install>;
}

/** One point of a line. */
export interface Point {
  /** Unix time */
  at: number;
  /** what is left */
  left: number;
}

/** One pool as it is now, and what becomes of it. All moments are Unix times. */
export interface PoolForecast {
  /** its identity: provider instance, quota and whose it is */
  pool: string;
  /** the provider instance */
  provider: string;
  /** what is counted */
  unit: string;
  /** seconds; null for `concurrent` */
  window: number | null;
  /** when the window starts over */
  clock: string;
  /** whose it is: a key's, an account's or an address's */
  scope: string;
  /** the models that share it; empty is all of the provider's */
  members: Array<string>;
  /** the labels of the keys that draw on it */
  keys: Array<string>;
  /** what is spent, reservations of requests under way included */
  used: number;
  /** what it holds; null is unknown */
  limit: number | null;
  /** what it holds less what is used; null is unknown */
  left: number | null;
  /** whether it is counted and never refused, because every key that draws on it is on a paid plan */
  unlimited: boolean;
  /** where the limit is from */
  stated: "declared" | "learned" | "settings" | "unknown";
  /** what says so, in words or as an address */
  evidence: string;
  /** for a declared limit, the day it was read */
  checked: string | null;
  /** for a learned limit, when the declared one counts again */
  believed_until: number | null;
  /** until when the service said that it is exhausted */
  closed_until: number | null;
  /** when all of it is there again if nothing more is spent; null: nothing is spent, or nobody can say */
  resets_at: number | null;
  /** what is spent a second, see `freellm.ledger.burning` */
  burn_rate: number;
  /** when nothing is left at this rate; null: not before it resets */
  exhausted_at: number | null;
}

/** What is wrong and what to do. */
export interface Problem {
  /** what is wrong, in words for a person */
  message: string;
  /** the field of the body or of the query that is to be changed; null: it is none */
  field: string | null;
  /** what to do */
  cure: string | null;
}

/** A profile as it is to be; see `ProfileRow`. */
export interface ProfileBody {
  /** models, families or `provider/model`, in order; empty is every model */
  models?: Array<string>;
  /** the order of all models, or within each of them */
  strategy?: string | null;
  /** the providers that may answer; empty is all */
  only?: Array<string>;
  /** the providers that may not */
  ignore?: Array<string>;
  /** what each model must be able to do */
  abilities?: Array<"json" | "json_schema" | "reasoning" | "system" | "tools" | "vision">;
  /** `deny` leaves out providers that may learn from prompts */
  data_collection?: "allow" | "deny";
}

/** A choice of models that has a name; requests ask for `auto:NAME`. */
export interface ProfileRow {
  /** its name */
  name: string;
  /** where it stands; one of `config.toml` is changed there */
  source: "config.toml" | "database";
  /** models, families or `provider/model`, in order; empty is every model */
  models: Array<string>;
  /** the order of all models, or within each of them */
  strategy: string | null;
  /** the providers that may answer; empty is all */
  only: Array<string>;
  /** the providers that may not */
  ignore: Array<string>;
  /** what each model must be able to do */
  abilities: Array<"json" | "json_schema" | "reasoning" | "system" | "tools" | "vision">;
  /** `deny` leaves out providers that may learn from prompts */
  data_collection: "allow" | "deny";
}

/** Every profile. */
export interface Profiles {
  /** the profiles */
  profiles: Array<ProfileRow>;
  /** the strategies on offer */
  strategies: Array<string>;
}

/** One provider, and what a key of it is good for. */
export interface ProviderCard {
  /** its id */
  id: string;
  /** its name for people */
  title: string;
  /** where a free key is made */
  signup_url: string;
  /** its documentation */
  docs_url: string;
  /** the fields of a key, in order */
  fields: Array<Field>;
  /** the variables that usually hold a key */
  environment: Array<string>;
  /** whether it answers without a key */
  keyless: boolean;
  /** whether keys of it are servers of one's own, which need a name and a base URL */
  own_server: boolean;
  /** whether all its models are gone */
  retired: boolean;
  /** its limits in words */
  quotas: Array<string>;
  /** the models that a key unlocks, the best first */
  unlocks: Array<string>;
  /** what its limits allow in a day, in tokens; null is unknown */
  tokens_per_day: number | null;
  /** what it takes to get a key, in words */
  effort: string;
  /** what it does with prompts; null is unknown */
  data_use: DataUse | null;
  /** how many keys of it there are */
  keys: number;
}

/** How one provider is doing. */
export interface ProviderHealth {
  /** its id */
  provider: string;
  /** its name for people */
  title: string;
  /** `ok`; `some`: some of its models are closed; `closed`: all are; `no_key`; `off`: all are retired or off; `untested`: nobody has asked it yet */
  state: "closed" | "no_key" | "off" | "ok" | "some" | "untested";
  /** why, in words */
  reason: string;
  /** how many keys it has */
  keys: number;
  /** how many of its models are on */
  models: number;
  /** how many of these take requests now */
  open: number;
  /** Unix time at which the next closed model opens */
  opens_at: number | null;
}

/** Every provider that is installed. */
export interface Providers {
  /** the most tokens for the least effort first */
  providers: Array<ProviderCard>;
}

/** What a request would take from one of a route's pools. */
export interface Quota {
  /** the pool */
  forecast: PoolForecast;
  /** what is booked when the request is sent */
  reserves: number;
  /** whether that much is left */
  fits: boolean;
  /** Unix time at which it will be; null: it is now, or never */
  opens_at: number | null;
}

/** Every quota. */
export interface Quotas {
  /** Unix time this is true of */
  at: number;
  /** every pool that a key draws on */
  pools: Array<PoolForecast>;
  /** what is left over all of them, for chats */
  totals: Totals;
}

/** Whether a request to `auto` would be answered now. */
export interface Readiness {
  /** `ready`; `closed`: every route is closed for now; `no_keys`: no model has a key */
  state: "closed" | "no_keys" | "ready";
  /** the route that would be asked first */
  serves: string | null;
  /** its model's name for people */
  title: string | null;
  /** why this one, or why none */
  why: string;
  /** Unix time at which the next route opens, when all are closed */
  opens_at: number | null;
}

/** Why attempts failed. */
export interface Reason {
  /** the kind of failure */
  kind: string;
  /** how often */
  count: number;
  /** whose, how often */
  providers: Record<string, number>;
}

/** Every answer that is not 2xx. */
export interface Refusal {
  /** what is wrong */
  error: Problem;
}

/** A key that is gone. */
export interface RemovedKey {
  /** what its id was */
  id: string;
  /** whose it was */
  provider: string;
  /** what it was called */
  label: string;
}

/** One request and its ladder. */
export interface RequestDetail {
  /** the request; null while it is being served */
  request: RequestRow | null;
  /** in the order in which they were made, the one that answered included */
  attempts: Array<Attempt>;
  /** in the order in which they would have been asked */
  passed_over: Array<PassedOver>;
}

/** One request of a client, as it is logged. What was said is not. */
export interface RequestRow {
  /** its id, as in `X-Request-Id` */
  id: string;
  /** Unix time of its arrival */
  created: number;
  /** the wire format that the client spoke */
  surface: string;
  /** the `model` that was asked for */
  requested: string;
  /** who answered last, well or not; null: nobody was asked */
  provider: string | null;
  /** with which model */
  model: string | null;
  /** the id of the key */
  key: string | null;
  /** what the user calls the key */
  key_label: string | null;
  /** the HTTP status that the client got */
  status: number;
  /** whether the client got an answer */
  ok: boolean;
  /** the code of the error that the client got */
  error: string | null;
  /** whether the answer was streamed */
  stream: boolean;
  /** how many requests to providers it took */
  attempts: number;
  /** tokens of the prompt */
  input_tokens: number | null;
  /** tokens of the answer */
  output_tokens: number | null;
  /** whether the two are freellm's estimate */
  estimated: boolean;
  /** milliseconds to the first delta of a stream */
  first_delta_ms: number | null;
  /** milliseconds to the last byte */
  duration_ms: number;
  /** milliseconds of these that freellm itself took */
  overhead_ms: number | null;
}

/** A page of the log. */
export interface Requests {
  /** the requests */
  requests: Array<RequestRow>;
  /** what the next page is asked for by; null: there is none */
  next: string | null;
}

/** The key that clients send. */
export interface RevealedKey {
  /** the key */
  api_key: string;
}

/** A chart over time. */
export interface Series {
  type: "series";
  /** the heading */
  title: string;
  /** the unit of the values */
  unit: string;
  /** how it is drawn */
  style: "area" | "bars" | "line";
  /** Unix times */
  moments: Array<number>;
  /** the lines */
  lines: Array<Line>;
}

/** Who is signed in. */
export interface Session {
  /** whether the request came with a session that is good */
  signed_in: boolean;
  /** whether there is a password to sign in with; else `freellm dashboard link` prints a link */
  password_set: boolean;
  /** whether nobody can sign in before a password is set, because others reach the server */
  password_required: boolean;
  /** Unix time at which the session ends at the latest */
  expires_at: number | null;
  /** freellm's version */
  version: string;
}

/** One browser that is signed in. */
export interface SessionRow {
  /** what it is revoked by */
  id: string;
  /** whether it is the one that asks */
  current: boolean;
  /** Unix time */
  created_at: number;
  /** Unix time of its last request */
  seen_at: number;
  /** Unix time */
  expires_at: number;
  /** the browser, as it calls itself */
  client: string;
}

/** Every browser that is signed in. */
export interface Sessions {
  /** the last used first */
  sessions: Array<SessionRow>;
}

/** One setting; secrets are not told. */
export interface Setting {
  /** its name in `config.toml` */
  name: string;
  /** the variable that sets it */
  environment: string;
  /** its value as it is written in `config.toml`; empty: it is not set */
  value: string;
  /** who set it */
  source: "command line" | "config.toml" | "default" | "environment";
  /** what it does */
  help: string;
}

/** How this server is set up. */
export interface Settings {
  /** freellm's version */
  version: string;
  /** Python's version */
  python: string;
  /** what clients are pointed to */
  openai_base_url: string;
  /** where the database is */
  data_dir: string;
  /** its size */
  database_bytes: number;
  /** where settings are written */
  config_file: string;
  /** whether every provider is simulated */
  demo: boolean;
  /** whether clients need the unified key */
  auth: boolean;
  /** every setting */
  settings: Array<Setting>;
}

/** How long something took, in milliseconds; percentiles are right within 3 %. */
export interface Spread {
  /** of how many */
  count: number;
  /** the mean */
  mean: number;
  /** half were faster */
  p50: number;
  /** 95 of 100 were faster */
  p95: number;
  /** the slowest */
  max: number;
}

/** One of the first steps. */
export interface Step {
  /** which */
  id: "client" | "key" | "request";
  /** what to do */
  title: string;
  /** whether it is done */
  done: boolean;
  /** a command that does it */
  command: string;
  /** the page that does it */
  href: string;
}

/** Whose lists of models to ask for. */
export interface Sync {
  /** providers' ids; empty is all that have a key */
  providers?: Array<string>;
}

/** One difference. */
export interface SyncChange {
  /** such as `new`, `vanished` or `retired` */
  kind: string;
  /** the model's id */
  model: string;
  /** what is different */
  detail: string;
}

/** What the lists say. */
export interface Synced {
  /** those that were asked */
  providers: Array<SyncedProvider>;
}

/** What one provider's list says. */
export interface SyncedProvider {
  /** the provider's id */
  provider: string;
  /** how many models it has; null: it could not be asked */
  listed: number | null;
  /** what is different from before */
  changes: Array<SyncChange>;
  /** what prevented an answer */
  problem: string;
}

/** A table. */
export interface Table {
  type: "table";
  /** the heading */
  title: string;
  /** the columns */
  columns: Array<Column>;
  /** a cell for each column; null is nothing */
  rows: Array<Array<string | number | boolean | null>>;
  /** what is said when there are no rows */
  empty: string;
}

/** What became of some requests. What cannot be known of none is null, and not 0. */
export interface Tally {
  /** requests of clients */
  requests: number;
  /** how many of these got an answer */
  succeeded: number;
  /** how many clients left before they had one */
  cancelled: number;
  /** the share that got an answer of those that waited for one, 0 to 1; null without any */
  success: number | null;
  /** requests to providers; more than `requests` when some were failed over */
  attempts: number;
  /** requests that more than one attempt was made for */
  fell_back: number;
  /** tokens of prompts */
  input_tokens: number;
  /** tokens of answers */
  output_tokens: number;
  /** how many of the two are freellm's estimate */
  estimated_tokens: number;
  /** to the last byte, of those that got an answer; null without any */
  latency: Spread | null;
  /** to the first delta, of streams that got an answer; null without any */
  first_token: Spread | null;
}

/** A paragraph. It is text, and not markup. */
export interface Text {
  type: "text";
  /** the heading */
  title: string;
  /** the text; an empty line begins a new paragraph */
  text: string;
  /** whether it is good news */
  tone: "bad" | "good" | "neutral" | "warning";
}

/** What is left over all providers. */
export interface Totals {
  /** of a typical request */
  input_tokens: number;
  /** of a typical request */
  output_tokens: number;
  /** until midnight UTC */
  today: Left;
  /** until the end of the month, UTC */
  month: Left;
  /** how many routes that is */
  routes: number;
  /** how many more there are whose limits nobody knows, or which have none */
  uncounted: number;
}

/** A request that is being served. */
export interface UnderWay {
  /** its id */
  id: string;
  /** the wire format that the client speaks */
  surface: string;
  /** the `model` that was asked for */
  requested: string;
  /** whether the answer is streamed */
  stream: boolean;
  /** Unix time */
  since: number;
  /** the route that is being asked */
  asking: string | null;
  /** how many attempts failed so far */
  failed_attempts: number;
}

/** The key that clients send, without the key. */
export interface UnifiedKey {
  /** as much of it as tells it from others; empty: no key is needed */
  masked: string;
  /** where it is kept */
  source: "FREELLM_API_KEY" | "database" | "none";
  /** whether it can be replaced here */
  rotatable: boolean;
}

/** Every route: what it takes and what it answers. `string` answers are no JSON. */
export interface Endpoints {
  /** Say who is signed in. */
  "GET /api/session": { query: undefined; body: undefined; answer: Session };
  /** Sign in. */
  "POST /api/login": { query: undefined; body: Login; answer: Session };
  /** Sign out. */
  "POST /api/logout": { query: undefined; body: undefined; answer: Done };
  /** List the browsers that are signed in. */
  "GET /api/sessions": { query: undefined; body: undefined; answer: Sessions };
  /** Sign a browser out. */
  "DELETE /api/sessions/{id}": { query: undefined; body: undefined; answer: Done };
  /** Set, change or remove the password. */
  "PUT /api/password": { query: undefined; body: NewPassword; answer: Done };
  /** Say how everything is doing. */
  "GET /api/overview": { query: undefined; body: undefined; answer: Overview };
  /** List the keys. */
  "GET /api/keys": { query: undefined; body: undefined; answer: Keys };
  /** Check a key and store it. */
  "POST /api/keys": { query: undefined; body: NewKey; answer: AddedKey };
  /** Ask the providers about all keys. */
  "POST /api/keys/check": { query: undefined; body: undefined; answer: Keys };
  /** Take the keys of a .env file. */
  "POST /api/keys/import": { query: undefined; body: Import; answer: Imported };
  /** Ask a provider about its key. */
  "POST /api/keys/{id}/check": { query: undefined; body: undefined; answer: KeyRow };
  /** Change a key's label or use. */
  "PATCH /api/keys/{id}": { query: undefined; body: KeyChange; answer: KeyRow };
  /** Delete a key. */
  "DELETE /api/keys/{id}": { query: undefined; body: undefined; answer: RemovedKey };
  /** List the providers and what their keys unlock. */
  "GET /api/providers": { query: undefined; body: undefined; answer: Providers };
  /** Open something that was closed. */
  "POST /api/clear": { query: undefined; body: Clear; answer: Cleared };
  /** List all models. */
  "GET /api/models": { query: undefined; body: undefined; answer: Models };
  /** Switch models on or off. */
  "PATCH /api/models": { query: undefined; body: ModelSwitch; answer: Models };
  /** Compare with providers' own lists. */
  "POST /api/models/sync": { query: undefined; body: Sync; answer: Synced };
  /** List the models in the order they are tried. */
  "GET /api/fallback": { query: undefined; body: undefined; answer: Fallback };
  /** Put the models in an order. */
  "PUT /api/fallback": { query: undefined; body: FallbackOrder; answer: Fallback };
  /** Order by a rule. */
  "POST /api/fallback/sort": { query: undefined; body: FallbackSort; answer: Fallback };
  /** List the profiles. */
  "GET /api/profiles": { query: undefined; body: undefined; answer: Profiles };
  /** Show a profile. */
  "GET /api/profiles/{name}": { query: undefined; body: undefined; answer: ProfileRow };
  /** Make a profile. */
  "PUT /api/profiles/{name}": { query: undefined; body: ProfileBody; answer: ProfileRow };
  /** Delete a profile. */
  "DELETE /api/profiles/{name}": { query: undefined; body: undefined; answer: Profiles };
  /** Chat, exactly as POST /v1/chat/completions. */
  "POST /api/chat": { query: undefined; body: Record<string, unknown>; answer: string };
  /** Say what would become of a chat. */
  "POST /api/explain": { query: undefined; body: Record<string, unknown>; answer: Explanation };
  /** List logged requests. */
  "GET /api/requests": { query: LogQuery; body: undefined; answer: Requests };
  /** Show a request's ladder. */
  "GET /api/requests/{id}": { query: undefined; body: undefined; answer: RequestDetail };
  /** Sum the log up. */
  "GET /api/analytics": { query: AnalyticsQuery; body: undefined; answer: Analytics };
  /** List what is left of every quota. */
  "GET /api/quotas": { query: undefined; body: undefined; answer: Quotas };
  /** Show how a quota is spent. */
  "GET /api/quotas/burndown": { query: BurndownQuery; body: undefined; answer: Burndown };
  /** List the installed plugins. */
  "GET /api/plugins": { query: undefined; body: undefined; answer: Plugins };
  /** Show the settings. */
  "GET /api/settings": { query: undefined; body: undefined; answer: Settings };
  /** Describe the unified key. */
  "GET /api/apikey": { query: undefined; body: undefined; answer: UnifiedKey };
  /** Show the unified key. */
  "POST /api/apikey/reveal": { query: undefined; body: undefined; answer: RevealedKey };
  /** Replace the unified key. */
  "POST /api/apikey/rotate": { query: undefined; body: undefined; answer: RevealedKey };
  /** Download a copy of the database. */
  "POST /api/backup": { query: undefined; body: undefined; answer: string };
  /** List the plugins' panels. */
  "GET /api/panels": { query: undefined; body: undefined; answer: PanelList };
  /** Show a panel. */
  "GET /api/panels/{id}": { query: undefined; body: undefined; answer: Panel };
  /** Tell what changes, as it happens. */
  "GET /api/events": { query: undefined; body: undefined; answer: string };
  /** Show this document. */
  "GET /api/openapi.json": { query: undefined; body: undefined; answer: Record<string, unknown> };
}
