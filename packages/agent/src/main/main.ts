import { setFlagsFromString } from "node:v8";

// The stand-alone agent: the only place that handles process signals.
const interrupted = Promise.withResolvers<"SIGINT" | "SIGTERM" | "SIGHUP">();
const forced = new AbortController();
let hasSignal = false;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(name, () => {
    if (hasSignal) forced.abort();
    hasSignal = true;
    interrupted.resolve(name);
  });
}

// An agent makes little garbage: without this V8 grows its young generation to 16 MB, where 1 MB does. It works for what
// comes after it, so the rest of the program is loaded here.
setFlagsFromString("--semi-space-growth-factor=1");
const { runStandAlone } = await import("./run-stand-alone.ts");
process.exitCode = await runStandAlone(process.argv.slice(2), {
  interrupted: interrupted.promise,
  forced: forced.signal,
});
