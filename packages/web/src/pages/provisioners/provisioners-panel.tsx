import type { ProvisionerDaemon } from "@slipway/api/jobs/provisioner";
import { ServerCog } from "lucide-react";
import type { ReactNode } from "react";

import { WorkerState } from "../../components/worker-state.tsx";
import { CodeLine } from "../../ui/copy.tsx";
import { EmptyState, Panel } from "../../ui/layout.tsx";
import { Cell, HeaderCell, HeaderRow, Row, Table } from "../../ui/table.tsx";
import { Time } from "../../ui/time.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";
import { TagBadges } from "./tag-badges.tsx";

interface ProvisionersPanelProps {
  readonly provisioners: readonly ProvisionerDaemon[];
}

/** The provisioners of all keys. */
export function ProvisionersPanel({ provisioners }: ProvisionersPanelProps): ReactNode {
  return (
    <Panel title="Provisioners" isFlush>
      {provisioners.length === 0 ? (
        <EmptyState icon={<ServerCog size={28} />} title="No provisioner has connected yet">
          <p>
            On the machine that carries out the jobs, set{" "}
            <code className="font-mono">SLIPWAY_PROVISIONER_KEY</code> and run:
          </p>
          <div className="mt-2 text-left">
            <CodeLine>{`slipway provisioner start --url ${location.origin}`}</CodeLine>
          </div>
        </EmptyState>
      ) : (
        <Table label="Provisioners">
          <HeaderRow>
            <HeaderCell>Name</HeaderCell>
            <HeaderCell>State</HeaderCell>
            <HeaderCell>Key</HeaderCell>
            <HeaderCell>Tags</HeaderCell>
            <HeaderCell>Version</HeaderCell>
            <HeaderCell>Last report</HeaderCell>
          </HeaderRow>
          <tbody>
            {provisioners.map((one) => (
              <Row key={one.id}>
                <Cell isText className="font-medium">
                  <UntrustedText>{one.name}</UntrustedText>
                </Cell>
                <Cell>
                  <WorkerState status={one.status} />
                </Cell>
                <Cell>
                  <UntrustedText>{one.key_name}</UntrustedText>
                </Cell>
                <Cell isText>
                  <TagBadges tags={one.tags} />
                </Cell>
                <Cell>
                  <UntrustedText>{one.version}</UntrustedText>
                </Cell>
                <Cell>
                  <Time time={one.last_seen_at} />
                </Cell>
              </Row>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
