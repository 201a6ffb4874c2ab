import { SegmentedControl } from "@mantine/core";

import { Page, useQueryParam } from "@/components";
import { AllModels } from "./all_models";
import { Order } from "./order";
import { Profiles } from "./profiles";

const VIEWS = [
  { value: "all", label: "All models" },
  { value: "order", label: "Fallback order" },
  { value: "profiles", label: "Profiles" },
];

const SUBTITLES: Record<string, string> = {
  all: "What can answer, and what is left",
  order: "Who is asked first, and next",
  profiles: "Your own names for who may answer",
};

/** Models, the order in which they are tried, and profiles. */
export default function ModelsPage() {
  const [view, setView] = useQueryParam("view", "all");
  return (
    <Page
      title="Models"
      subtitle={SUBTITLES[view]}
      wide
      actions={<SegmentedControl data={VIEWS} value={view} onChange={setView} aria-label="View" />}
    >
      {view === "order" ? <Order /> : view === "profiles" ? <Profiles /> : <AllModels />}
    </Page>
  );
}
