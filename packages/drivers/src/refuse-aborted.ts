import type { Driver } from "./driver.ts";

/**
 * Returns the driver with a check before each method: a call with an aborted signal rejects with the signal's reason
 * and begins nothing. A driver that only listens for the abort event would wait forever for one that has already
 * happened.
 */
export function refuseAborted(driver: Driver): Driver {
  const read = driver.read?.bind(driver);
  const readParameters = driver.readParameters?.bind(driver);
  const claim = driver.claim?.bind(driver);
  const stateProblem = driver.stateProblem?.bind(driver);
  const settle = driver.settle?.bind(driver);
  const watch = driver.watch?.bind(driver);
  return {
    name: driver.name,
    // It may change: infrastructure comes and goes.
    get refusal() {
      return driver.refusal;
    },
    plan: async (input, log, signal) => {
      signal.throwIfAborted();
      return driver.plan(input, log, signal);
    },
    start: async (build, log, signal) => {
      signal.throwIfAborted();
      return driver.start(build, log, signal);
    },
    stop: async (build, log, signal) => {
      signal.throwIfAborted();
      return driver.stop(build, log, signal);
    },
    delete: async (build, log, signal) => {
      signal.throwIfAborted();
      return driver.delete(build, log, signal);
    },
    observe: async (subject, signal) => {
      signal.throwIfAborted();
      return driver.observe(subject, signal);
    },
    ...(read && {
      read: async (input, log, signal) => {
        signal.throwIfAborted();
        return read(input, log, signal);
      },
    }),
    ...(readParameters && {
      readParameters: async (input, signal) => {
        signal.throwIfAborted();
        return readParameters(input, signal);
      },
    }),
    ...(claim && {
      claim: async (build, log, signal) => {
        signal.throwIfAborted();
        return claim(build, log, signal);
      },
    }),
    ...(settle && { settle }),
    ...(stateProblem && { stateProblem }),
    ...(watch && {
      watch: async (report, signal) => {
        signal.throwIfAborted();
        return watch(report, signal);
      },
    }),
  };
}
