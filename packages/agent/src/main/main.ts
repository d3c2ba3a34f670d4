// The stand-alone agent. It is bundled as CommonJS, which has no `await` here.
import { runStandAlone } from "./run-stand-alone.ts";
import { forced, interrupted } from "./signals.ts";

void runStandAlone(process.argv.slice(2), { interrupted, forced }).then((exitCode) => {
  process.exitCode = exitCode;
});
