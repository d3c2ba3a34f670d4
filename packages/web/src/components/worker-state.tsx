import type { WorkerStatus } from "@slipway/api/jobs/provisioner";
import type { ReactNode } from "react";

import { Status } from "../ui/status.tsx";

const tones = { idle: "good", busy: "active", offline: "neutral" } as const;
const words = { idle: "Idle", busy: "Building", offline: "Offline" } as const;

/** The state of a server or a provisioner. */
export function WorkerState({ status }: { readonly status: WorkerStatus }): ReactNode {
  return <Status tone={tones[status]}>{words[status]}</Status>;
}
