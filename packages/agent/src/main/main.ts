import { runStandAlone } from "./run-stand-alone.ts";
// oxlint-disable-next-line import/no-unassigned-import -- its effect is what is wanted
import "./young-generation.ts";
// The stand-alone agent. The order of the imports matters, and none of them is dynamic: a bundler then drops all that is
// not used, and a start has less to load.
import { forced, interrupted } from "./signals.ts";

process.exitCode = await runStandAlone(process.argv.slice(2), { interrupted, forced });
