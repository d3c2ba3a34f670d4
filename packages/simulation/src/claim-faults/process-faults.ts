import type { Deployment } from "./deployment.ts";
import { type Fault, stayBroken } from "./fault.ts";
import type { Fleet } from "./fleet.ts";
import type { PostgresHost, Shutdown } from "./postgres-host.ts";

const maxServerDownMs = 3_000;
/** The probability of killing the last server that is up: with all of them down, nothing else is tested. */
const lastServerChance = 0.2;
const maxPostgresDownMs = 1_500;
const maxAgentDownMs = 2_000;

/** Processes that are killed and restarted: servers, PostgreSQL and its sessions, agents. */
export function processFaults(
  { postgres, replicas }: Pick<Deployment, "postgres" | "replicas">,
  fleet: Fleet,
): readonly Fault[] {
  return [
    serverKilled(replicas),
    ...postgresRestarted(postgres),
    listenersTerminated(postgres),
    agentKilled(fleet),
  ];
}

function serverKilled(replicas: Deployment["replicas"]): Fault {
  return {
    kind: "a server killed",
    weight: 1,
    strike: async (random, signal) => {
      const up = replicas.filter(({ isUp }) => isUp);
      const replica = random.pick(up);
      const isLast = up.length === 1 && !random.chance(lastServerChance);
      if (replica === undefined || isLast) return undefined;
      await replica.kill();
      await stayBroken(random.between(0, maxServerDownMs), signal);
      await replica.start();
      return replica.name;
    },
  };
}

/** Restarts PostgreSQL, one restart at a time: it cannot stop while it is down. */
function postgresRestarted(postgres: PostgresHost): readonly Fault[] {
  let isDown = false;
  return (["fast", "immediate", "kill"] satisfies Shutdown[]).map((how) => ({
    kind: `PostgreSQL restarted (${how})`,
    weight: 0.25,
    strike: async (random, signal) => {
      if (isDown) return undefined;
      isDown = true;
      try {
        await postgres.stop(how);
        await stayBroken(random.between(0, maxPostgresDownMs), signal);
        await postgres.start();
        return how;
      } finally {
        isDown = false;
      }
    },
  }));
}

function listenersTerminated(postgres: PostgresHost): Fault {
  return {
    kind: "listeners terminated",
    weight: 2,
    strike: async () => {
      const rows = await postgres.query<{ readonly pid: number }>(
        `select pid, pg_terminate_backend(pid) from pg_stat_activity
          where query ilike 'listen %' and pid <> pg_backend_pid()`,
      );
      return rows.length === 0 ? undefined : rows.map(({ pid }) => pid).join(", ");
    },
  };
}

function agentKilled(fleet: Fleet): Fault {
  return {
    kind: "an agent killed",
    weight: 5,
    strike: async (random, signal) => {
      const box = random.pick(fleet.boxes.filter(({ isUp }) => isUp));
      if (box === undefined) return undefined;
      await box.kill();
      await stayBroken(random.between(0, maxAgentDownMs), signal);
      box.start();
      return `${box.workspaceId}, before life ${box.boots}`;
    },
  };
}
