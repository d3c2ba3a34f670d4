import type { ProvisionerDaemon, ProvisionerKey } from "@slipway/api/jobs/provisioner";
import {
  listProvisionerDaemons,
  listProvisionerKeys,
} from "@slipway/api/organizations/provisioner-routes";
import { useQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { type ReactNode, useState } from "react";

import { routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { RightGate } from "../../components/right-gate.tsx";
import { Button } from "../../ui/button.tsx";
import { EmptyState, PageHeader, Panel } from "../../ui/layout.tsx";
import { HeaderCell, HeaderRow, SkeletonRows, Table } from "../../ui/table.tsx";
import { CreateKeyDialog } from "./create-key-dialog.tsx";
import { DeleteKeyDialog } from "./delete-key-dialog.tsx";
import { KeyRow } from "./key-row.tsx";
import { ProvisionersPanel } from "./provisioners-panel.tsx";

/** The lists are read again at this interval, in milliseconds. */
const repeatMs = 10_000;

const params = { organization: "default" };

export function ProvisionersPage(): ReactNode {
  return (
    <RightGate right="updateDeployment" title="Provisioners" roles="owners">
      <Provisioners />
    </RightGate>
  );
}

function Provisioners(): ReactNode {
  const repeated = { refetchInterval: repeatMs };
  const keys = useQuery({ ...routeQuery(listProvisionerKeys, { params }), ...repeated });
  const workers = useQuery({
    ...routeQuery(listProvisionerDaemons, { params, query: { offline: "true" } }),
    ...repeated,
  });
  const [isCreating, setCreating] = useState(false);
  // The dialog stays when the list is read again without the key.
  const [deleted, setDeleted] = useState<ProvisionerKey>();
  const isEmpty = keys.data?.length === 0;
  const create = (
    <Button look="primary" icon={<Plus aria-hidden size={14} />} onClick={() => setCreating(true)}>
      New key
    </Button>
  );
  const failed = [keys, workers].find((one) => one.isError);
  const provisioners = provisionersOf(workers.data ?? []);
  const onlineOf = ({ id }: ProvisionerKey): readonly ProvisionerDaemon[] =>
    provisioners.filter((one) => one.key_id === id && one.status !== "offline");
  return (
    <>
      <PageHeader title="Provisioners" actions={isEmpty ? undefined : create}>
        Machines other than the server that carry out the jobs of Terraform templates.
      </PageHeader>
      {failed !== undefined && (
        <FailureNotice error={failed.error} onRetry={() => void failed.refetch()} />
      )}
      <Panel title="Keys" isFlush>
        {isEmpty ? (
          <EmptyState icon={<KeyRound size={28} />} title="No keys yet" action={create}>
            A provisioner runs where the credentials of your infrastructure are, and connects to the
            server with a key. The tags of the key say which jobs it takes.
          </EmptyState>
        ) : (
          <Table label="Provisioner keys">
            <HeaderRow>
              <HeaderCell>Name</HeaderCell>
              <HeaderCell>Tags</HeaderCell>
              <HeaderCell className="max-sm:hidden">Provisioners</HeaderCell>
              <HeaderCell className="max-sm:hidden">Created</HeaderCell>
              <HeaderCell>
                <span className="sr-only">Actions</span>
              </HeaderCell>
            </HeaderRow>
            <tbody>
              {keys.isPending && <SkeletonRows columns={5} />}
              {keys.data?.map((key) => (
                <KeyRow
                  key={key.id}
                  provisionerKey={key}
                  online={onlineOf(key).length}
                  onDelete={() => setDeleted(key)}
                />
              ))}
            </tbody>
          </Table>
        )}
      </Panel>
      {!isEmpty && workers.data !== undefined && <ProvisionersPanel provisioners={provisioners} />}
      {isCreating && <CreateKeyDialog onClose={() => setCreating(false)} />}
      {deleted !== undefined && (
        <DeleteKeyDialog
          provisionerKey={deleted}
          online={onlineOf(deleted)}
          onClose={() => setDeleted(undefined)}
        />
      )}
    </>
  );
}

/** Returns the workers that have keys: the others are servers. */
function provisionersOf(workers: readonly ProvisionerDaemon[]): readonly ProvisionerDaemon[] {
  return workers.filter((worker) => worker.key_name !== "built-in");
}
