/** Formats a server's schedule: `9:30 Mon-Fri (Europe/Berlin)`; returns a more complex one unchanged. */
export function cronText(cron: string): string {
  const found = /^(?:(?:CRON_)?TZ=(\S+) )?(\d{1,2}) (\d{1,2}) \* \* (\S+)$/.exec(cron);
  if (found === null) return cron;
  const [zone = "UTC", minute = "", hour = "", days = "*"] = found.slice(1);
  const day = days === "*" ? "daily" : dayNames(days);
  return `${hour}:${minute.padStart(2, "0")} ${day} (${zone})`;
}

const week = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** Formats days of cron, which may be numbers: `Mon-Fri`. Leaves steps, such as `mon-fri/2`, unchanged. */
function dayNames(days: string): string {
  if (!/^(?:[a-z]{3}|[0-7])(?:[,-](?:[a-z]{3}|[0-7]))*$/i.test(days)) return days;
  const names = days.replaceAll(/\w+/g, (day) => week[Number(day)] ?? capitalized(day));
  return names.includes("-") ? names : joinRuns(names.split(","));
}

/** Joins single days; three or more that follow each other become a range. */
function joinRuns(names: readonly string[]): string {
  const runs: string[][] = [];
  for (const name of names) {
    const run = runs.at(-1);
    const last = run?.at(-1);
    if (run !== undefined && last !== undefined && week.indexOf(name) === week.indexOf(last) + 1) {
      run.push(name);
    } else {
      runs.push([name]);
    }
  }
  return runs
    .map((run) => (run.length > 2 ? `${run[0] ?? ""}-${run.at(-1) ?? ""}` : run.join(",")))
    .join(",");
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}
