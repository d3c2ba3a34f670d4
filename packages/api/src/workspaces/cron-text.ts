/** Formats a server's schedule: `9:30 Mon-Fri (Europe/Berlin)`; returns a more complex one unchanged. */
export function cronText(cron: string): string {
  const found = /^(?:(?:CRON_)?TZ=(\S+) )?(\d{1,2}) (\d{1,2}) \* \* (\S+)$/.exec(cron);
  if (found === null) return cron;
  const [zone = "UTC", minute = "", hour = "", days = "*"] = found.slice(1);
  const day = days === "*" ? "daily" : dayNames(days);
  return `${hour}:${minute.padStart(2, "0")} ${day} (${zone})`;
}

const weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** Formats days of cron, which may be numbers: `Mon-Fri`. Leaves steps, such as `mon-fri/2`, unchanged. */
function dayNames(days: string): string {
  if (!/^(?:[a-z]{3}|[0-7])(?:[,-](?:[a-z]{3}|[0-7]))*$/i.test(days)) return days;
  return days.replaceAll(/\w+/g, (day) => weekdays[Number(day)] ?? capitalized(day));
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1).toLowerCase();
}
