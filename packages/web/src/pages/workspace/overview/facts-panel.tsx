import { listBuildParameters } from "@slipway/api/builds/routes";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { routeQuery } from "../../../api/queries.ts";
import { valueText } from "../../../components/parameters/list-value.ts";
import { ParameterValue } from "../../../components/parameters/parameter-value.tsx";
import { useMask } from "../../../components/parameters/version-parameters.ts";
import { Facts, Panel } from "../../../ui/layout.tsx";
import { naturalOrder } from "../../../ui/natural-order.ts";
import { Time } from "../../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../../ui/untrusted-text.tsx";
import { useWorkspace, useWorkspaceParams } from "../use-workspace.tsx";

/** The template and the parameters of a workspace. */
export function FactsPanel(): ReactNode {
  const workspace = useWorkspace();
  const params = useWorkspaceParams();
  const { latest_build: build } = workspace;
  const parameters = useQuery(routeQuery(listBuildParameters, { params: { build: build.id } }));
  const mask = useMask(build.template_version_id, parameters.data);
  const shown = (parameters.data ?? []).toSorted((a, b) => naturalOrder(a.name, b.name));
  const resources = build.resources.filter(({ hide }) => !hide);
  return (
    <Panel title="Details">
      <div className="text-sm">
        <Facts
          facts={[
            ["Created", <Time key="created" time={workspace.created_at} />],
            ["Last used", <Time key="used" time={workspace.last_used_at} />],
            [
              "Build",
              <Link
                key="build"
                to="/@{$owner}/$workspace/builds/$number"
                params={{ ...params, number: String(build.build_number) }}
                className="text-accent hover:underline"
              >
                {`#${build.build_number} by `}
                <UntrustedText>{build.initiator_name}</UntrustedText>
              </Link>,
            ],
            ["Updates", workspace.automatic_updates === "always" ? "Automatic" : "Manual"],
            ...(mask === undefined ? [] : shown).map(
              ({ name, value }) =>
                [
                  untrusted(name),
                  <ParameterValue
                    key={name}
                    title={untrusted(name)}
                    value={beginningOf(valueText(value))}
                    isMasked={mask?.(name) ?? true}
                  />,
                ] as const,
            ),
            ...resources.flatMap(({ metadata }) =>
              metadata
                .filter(({ sensitive }) => !sensitive)
                .map(
                  ({ key, value }) =>
                    [
                      untrusted(key),
                      <UntrustedText key={key}>{beginningOf(value)}</UntrustedText>,
                    ] as const,
                ),
            ),
          ]}
        />
      </div>
    </Panel>
  );
}

/** Returns the beginning of a value; some are whole files. */
function beginningOf(value: string): string {
  return value.length > 200 ? `${value.slice(0, 200)}…` : value;
}
