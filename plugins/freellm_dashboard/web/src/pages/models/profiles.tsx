import { Button, Group } from "@mantine/core";
import { useState } from "react";
import { Link } from "wouter";
import { api } from "@/api/client";
import { refresh, useApi } from "@/api/queries";
import type { ProfileRow, Profiles as Rows } from "@/api/types";
import { Card, Confirm, CopyField, Empty, Loaded, notify } from "@/components";
import { IconMessage, IconPencil, IconPlus, IconTrash, IconUsersGroup } from "@/components/icons";
import { ABILITIES } from "./abilities";
import { ProfileForm } from "./profile_form";
import styles from "./profiles.module.css";
import shared from "./shared.module.css";

/** Names for who may answer: made, changed and deleted. */
export function Profiles() {
  const query = useApi<Rows>("/profiles");
  const [edited, setEdited] = useState<ProfileRow | "new" | null>(null);
  const [doomed, setDoomed] = useState<ProfileRow | null>(null);
  return (
    <Loaded query={query}>
      {({ profiles, strategies }) => (
        <>
          <h2 className={shared.hidden}>Profiles</h2>
          {profiles.length === 0 ? (
            <None add={() => setEdited("new")} />
          ) : (
            <>
              <Group justify="flex-end">
                <Add add={() => setEdited("new")} />
              </Group>
              <ul className={styles.profiles}>
                {profiles.map((profile) => (
                  <li key={profile.name}>
                    <Shown
                      profile={profile}
                      edit={() => setEdited(profile)}
                      remove={() => setDoomed(profile)}
                    />
                  </li>
                ))}
              </ul>
            </>
          )}
          {edited && (
            <ProfileForm
              profile={edited === "new" ? null : edited}
              taken={profiles.map((profile) => profile.name)}
              strategies={strategies}
              close={() => setEdited(null)}
            />
          )}
          <Confirm
            opened={doomed !== null}
            close={() => setDoomed(null)}
            title={`Delete ${doomed?.name}?`}
            verb="Delete"
            action={() => remove(doomed?.name ?? "")}
          >
            Requests for <code>auto:{doomed?.name}</code> are refused from then on.
          </Confirm>
        </>
      )}
    </Loaded>
  );
}

async function remove(name: string): Promise<void> {
  await api.delete(`/profiles/${encodeURIComponent(name)}`);
  notify(`${name} is deleted.`);
  await refresh("profiles");
}

function Add({ add }: { add: () => void }) {
  return (
    <Button variant="filled" leftSection={<IconPlus size={16} aria-hidden />} onClick={add}>
      New profile
    </Button>
  );
}

function None({ add }: { add: () => void }) {
  return (
    <Empty icon={IconUsersGroup} title="No profiles yet" action={<Add add={add} />}>
      <p>
        A profile is a name for who may answer: models of your choice, or a strategy with filters. Requests
        ask for <code>auto:NAME</code>.
      </p>
    </Empty>
  );
}

function Shown({ profile, edit, remove }: { profile: ProfileRow; edit: () => void; remove: () => void }) {
  const own = profile.source === "database";
  const lines = described(profile);
  return (
    <Card className={styles.profile}>
      <div className={styles.profileHead}>
        <h2>{profile.name}</h2>
        {!own && <span className={shared.faint}>config.toml</span>}
      </div>
      <CopyField value={`auto:${profile.name}`} what="model name" />
      <dl className={shared.facts}>
        {lines.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Group gap="xs" mt="auto">
        <Button
          component={Link}
          href={`/playground?model=${encodeURIComponent(`auto:${profile.name}`)}`}
          leftSection={<IconMessage size={16} aria-hidden />}
        >
          Try it
        </Button>
        {own ? (
          <>
            <Button leftSection={<IconPencil size={16} aria-hidden />} onClick={edit}>
              Edit
            </Button>
            <Button
              leftSection={<IconTrash size={16} aria-hidden />}
              onClick={remove}
              aria-label={`Delete ${profile.name}`}
            >
              Delete
            </Button>
          </>
        ) : (
          <span className={shared.faint}>changed in config.toml</span>
        )}
      </Group>
    </Card>
  );
}

function described(profile: ProfileRow): [string, string][] {
  const abilities = profile.abilities.map((one) => ABILITIES[one].title.toLowerCase());
  const lines: [string, string | false][] = [
    ["Models", profile.models.length > 0 ? profile.models.join(" → ") : "all"],
    ["Order", profile.strategy ?? "as auto"],
    ["Only", profile.only.length > 0 && profile.only.join(", ")],
    ["Not", profile.ignore.length > 0 && profile.ignore.join(", ")],
    ["Must be able to", abilities.length > 0 && abilities.join(", ")],
    ["Prompts", profile.data_collection === "deny" && "only providers known not to train on them"],
  ];
  return lines.filter((line): line is [string, string] => line[1] !== false);
}
