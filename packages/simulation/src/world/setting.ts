import type { Random } from "@slipway/testkit/random";

import type { Life } from "../engine/life.ts";
import { Scheduler } from "../engine/scheduler.ts";
import { Trace } from "../engine/trace.ts";
import { Model } from "../model/model.ts";
import type { Rules } from "../model/rules.ts";
import { createTables } from "../model/tables.ts";
import { HintBus } from "../network/hints.ts";
import type { ClientEnd } from "../network/link.ts";
import type { Request } from "../network/messages.ts";
import { type Listener, Network } from "../network/network.ts";
import { Database } from "../store/database.ts";
import { Conditions } from "./conditions.ts";
import type { Monitor } from "./monitor.ts";
import type { Profile } from "./profile.ts";

export interface SettingOptions {
  readonly seed: number;
  readonly profile: Profile;
  readonly rules: Rules;
  readonly isTraced: boolean;
}

export interface OpenStream {
  readonly token: string;
  readonly workspaceId: string;
  readonly life: Life;
}

/**
 * The environment of all processes and users of a world: time and chance, the database, the network, and the
 * monitors.
 */
export class Setting {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly profile: Profile;
  readonly rules: Rules;
  readonly trace: Trace;
  readonly conditions: Conditions;
  readonly model: Model;
  readonly network: Network;
  readonly hints: HintBus;
  readonly monitors: Monitor[] = [];
  /** The targets of connections, up or down. */
  readonly servers: Listener[] = [];
  /** The answers to `/reinit` in progress. */
  readonly streams = new Set<OpenStream>();

  constructor({ seed, profile, rules, isTraced }: SettingOptions) {
    const scheduler = new Scheduler(seed);
    const { random } = scheduler;
    const conditions = new Conditions(random, profile);
    const tables = createTables();
    const db = new Database({
      scheduler,
      tables: Object.values(tables),
      delayMs: conditions.delayMs,
      breakChance: conditions.databaseBreaks,
    });
    const { agentNames, claimsAtOnce } = profile;
    this.scheduler = scheduler;
    this.random = random;
    this.profile = profile;
    this.rules = rules;
    this.trace = new Trace(() => scheduler.elapsedMs, isTraced);
    this.conditions = conditions;
    this.model = new Model({
      db,
      tables,
      rules,
      agentNames,
      claimsAtOnce,
      keepsProcesses: false,
    });
    this.network = new Network(scheduler, conditions);
    this.hints = new HintBus(random, {
      delayMs: conditions.delayMs,
      loss: conditions.hintLoss,
      doubling: conditions.hintDoubling,
    });
    db.onLock((key) => this.tell((monitor) => monitor.locked?.(key)));
    db.onCommit((commit) => {
      for (const topic of commit.topics) this.hints.send(topic, undefined);
      this.tell((monitor) => monitor.committed?.(commit));
    });
  }

  /** Notifies all monitors; their errors end the run. */
  tell(tell: (monitor: Monitor) => void): void {
    try {
      for (const monitor of this.monitors) tell(monitor);
    } catch (error) {
      this.scheduler.fail(error);
    }
  }

  /** Connects to a server that is up, as a load balancer would; if none is, to one that is down. */
  connect(client: Life, request: Request): ClientEnd {
    const up = this.servers.filter(({ life }) => life.isAlive);
    const picked = this.random.pick(up.length > 0 ? up : this.servers);
    if (picked === undefined) throw new Error("world has no servers");
    return this.network.open(client, picked, request);
  }
}
