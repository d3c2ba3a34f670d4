import { GatheredClaims } from "@slipway/server/claims";
import type { Random } from "@slipway/testkit/random";

import { Life } from "../engine/life.ts";
import type { Trace } from "../engine/trace.ts";
import type { Model } from "../model/model.ts";
import type { PooledWorkspace } from "../model/workspaces.ts";
import { ReplicaHints } from "../network/hints.ts";
import type { ServerEnd } from "../network/link.ts";
import { claimTogether } from "./claim-together.ts";
import type { ReinitReply } from "./monitor.ts";
import type { Setting } from "./setting.ts";

/** The maximum error of a server's wall clock, in milliseconds. */
const maxSkewMs = 600_000;

/** A server's process, from its start to its crash, as the basis of its routes and loops. */
export class ServerProcess {
  readonly setting: Setting;
  readonly model: Model;
  readonly random: Random;
  readonly trace: Trace;
  readonly life: Life;
  readonly hints: ReplicaHints;
  /** The requests for workspaces of pools, those together that wait at the same time. */
  readonly claims: GatheredClaims<PooledWorkspace, string>;

  constructor(setting: Setting, name: string) {
    const { scheduler, profile, random } = setting;
    const skewMs = profile.hazards.has("clock-skew") ? random.between(-maxSkewMs, maxSkewMs) : 0;
    this.setting = setting;
    this.model = setting.model;
    this.random = random;
    this.trace = setting.trace;
    this.life = new Life(name, scheduler, skewMs);
    this.hints = new ReplicaHints(this.life, setting.hints);
    this.claims = new GatheredClaims((requests) => claimTogether(this, requests));
  }

  refuse(end: ServerEnd, status: 401 | 409 | 500): void {
    end.send({ type: "status", status });
    end.close();
  }

  /** Notifies the monitors of an answer to an agent. */
  noteAnswer(reply: ReinitReply): void {
    this.setting.tell((monitor) => monitor.answered?.(reply));
  }
}
