import type { Preset } from "@slipway/api/templates/template-version";
import { listWaitingPrebuilds } from "@slipway/api/workspaces/routes";
import { useQuery } from "@tanstack/react-query";
import { Zap } from "lucide-react";
import type { ReactNode } from "react";

import { routeQuery } from "../../api/queries.ts";
import { presetText, presetTitle } from "../../components/parameters/preset-text.ts";
import { useMask } from "../../components/parameters/version-parameters.ts";
import { type Choice, RadioGroup } from "../../ui/choices.tsx";
import { Badge } from "../../ui/status.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";

/** The value that stands for no preset. */
const none = "";

interface PresetChoiceProps {
  readonly version: string;
  readonly presets: readonly Preset[];
  /** The id of the preset that the values have; undefined for none. */
  readonly value: string | undefined;
  readonly onPreset: (preset: Preset | undefined) => void;
}

/** A choice of presets, with the number of workspaces that wait ready for each. */
export function PresetChoice({ version, presets, value, onPreset }: PresetChoiceProps): ReactNode {
  const counts = useQuery({
    ...routeQuery(listWaitingPrebuilds, { params: { version } }),
    refetchInterval: 15_000,
  });
  const mask = useMask(version, []);
  const waiting = new Map(counts.data?.map((one) => [one.preset_id, one.waiting]));
  const choices = presets.map((preset): Choice => ({
    value: preset.ID,
    label: (
      <>
        <UntrustedText>{presetTitle(preset)}</UntrustedText>{" "}
        <Waiting count={waiting.get(preset.ID)} />
      </>
    ),
    hint: (
      <UntrustedText>
        {preset.Description === "" ? presetText(preset, mask) : preset.Description}
      </UntrustedText>
    ),
  }));
  return (
    <RadioGroup
      label="Preset"
      isRequired
      hint="A set of values. Changing one of them deselects the preset."
      choices={[...choices, { value: none, label: "None", hint: "Set every value yourself." }]}
      value={value ?? none}
      onValue={(id) => onPreset(presets.find(({ ID }) => ID === id))}
    />
  );
}

/** Says how many workspaces wait; nothing for a preset without a pool. */
function Waiting({ count }: { readonly count: number | undefined }): ReactNode {
  if (count === undefined) return null;
  if (count === 0) return <Badge>None waiting: takes a full build</Badge>;
  return (
    <Badge tone="good">
      <Zap aria-hidden size={11} />
      Ready in a second: {count} waiting
    </Badge>
  );
}
