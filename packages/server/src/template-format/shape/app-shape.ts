import { addressProblem, schemeProblem } from "../address.ts";
import { type AppDefinition, openIns, sharingLevels } from "../definition.ts";
import { maxDescriptionLength, maxUrlLength } from "../limits.ts";
import type { Place, Reader } from "../reader.ts";
import { hasExpression } from "../template-text.ts";
import {
  command as shellCommand,
  icon,
  line,
  renderedLine,
  renderedWebUrl,
} from "./common-text.ts";
import { object } from "./map-shape.ts";
import { duration, flag, integer } from "./scalar-shape.ts";
import { checked, mapped, optional, required, type Shape, withDefault } from "./shape.ts";
import { choice, text } from "./text-shape.ts";

const health = object({
  url: required("What the agent asks with GET; below status 500 is healthy.", renderedWebUrl),
  interval: withDefault("How often it asks.", duration({ min: 1, max: 86_400 }), 10, "10s"),
  threshold: withDefault(
    "How many failures in a row are still healthy.",
    integer({ min: 1, max: 1_000 }),
    3,
  ),
});

const fields = object({
  display_name: optional("What people see; the slug if absent.", renderedLine),
  url: optional(
    "Where it listens as seen from the workspace, such as http://localhost:8080; of an external app any address.",
    text({
      maxLength: maxUrlLength,
      minLength: 1,
      rendered: "plain",
      problem: addressProblem,
      wanted: "an address",
    }),
  ),
  command: optional(
    "What to run in a terminal instead of opening an address; ${{ … }} is replaced.",
    shellCommand,
  ),
  icon: withDefault("A path such as /icon/code.svg or an address.", icon, ""),
  external: withDefault(
    "Whether the address is opened as it is, not through the server.",
    flag,
    false,
  ),
  subdomain: withDefault("Whether it gets a host name of its own instead of a path.", flag, false),
  share: withDefault("Who may open it.", choice(sharingLevels), "owner"),
  health: optional("How the agent finds out whether it works.", health),
  group: withDefault("The title under which it stands with others.", line, ""),
  hidden: withDefault("Whether the dashboard leaves it out.", flag, false),
  open_in: withDefault("Where the dashboard opens it.", choice(openIns), "slim-window"),
  order: optional(
    "Its place among the others; as in the file if absent.",
    integer({ min: 0, max: 10_000 }),
  ),
  tooltip: withDefault(
    "What people see when they point at it.",
    text({ maxLength: maxDescriptionLength }),
    "",
  ),
});
type AppFields = NonNullable<ReturnType<(typeof fields)["read"]>>;

/** Something in the workspace that people open, under its slug. `order` is -1 where none is given. */
export const app: Shape<AppDefinition> = mapped(checked(fields, checkApp), (read, { key }) => ({
  slug: key,
  displayName: read.display_name ?? key,
  url: read.url ?? "",
  command: read.command ?? "",
  icon: read.icon,
  isExternal: read.external,
  isSubdomain: read.subdomain,
  share: read.share,
  health:
    read.health === undefined
      ? undefined
      : {
          url: read.health.url,
          intervalSeconds: read.health.interval,
          threshold: read.health.threshold,
        },
  group: read.group,
  isHidden: read.hidden,
  openIn: read.open_in,
  order: read.order ?? -1,
  tooltip: read.tooltip,
}));

function checkApp(read: AppFields, place: Place, reader: Reader): void {
  const { url, command, external } = read;
  if ((url === undefined) === (command === undefined)) {
    const found = url === undefined ? "neither `url` nor `command`" : "both `url` and `command`";
    reader.reportKey(place, `found ${found}, wanted one of them`);
  }
  // Where an expression comes first, only its value says what address it is.
  if (url !== undefined && !hasExpression(url.slice(0, 8))) {
    const problem = schemeProblem({ url, isExternal: external });
    if (problem !== undefined) reader.report(reader.child(place, "url"), problem);
  }
  if (!external) return;
  const hasOther = {
    health: read.health !== undefined,
    subdomain: read.subdomain,
    command: command !== undefined,
  };
  for (const [key, has] of Object.entries(hasOther)) {
    if (has)
      reader.reportKey(
        reader.child(place, key),
        `found \`${key}\` of an external app, which the server does not reach`,
      );
  }
}
