import type { ReactNode } from "react";

import { classNames } from "../../ui/class-names.ts";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { type DiffLine, parseUnifiedDiff } from "./unified-diff.ts";

const tones: Readonly<Record<DiffLine["kind"], string>> = {
  same: "",
  removed: "bg-bad-soft text-bad",
  added: "bg-good-soft text-good",
  gap: "bg-sunken text-ink-faint",
};
const marks: Readonly<Record<DiffLine["kind"], string>> = {
  same: " ",
  removed: "−",
  added: "+",
  gap: "⋯",
};

/** A unified diff, file by file and line by line. */
export function DiffView({ diff }: { readonly diff: string }): ReactNode {
  const files = parseUnifiedDiff(diff);
  if (files.length === 0) {
    return <p className="p-4 text-ink-soft">The definition has not changed.</p>;
  }
  return files.map(({ path, lines, added, removed }) => (
    <section key={path} aria-label={untrusted(path)}>
      <h3 className="flex flex-wrap gap-3 border-b border-line bg-sunken px-4 py-1.5 text-sm font-medium">
        <UntrustedText>{path}</UntrustedText>
        <span className="text-good">+{added}</span>
        <span className="text-bad">−{removed}</span>
      </h3>
      <div
        tabIndex={0}
        role="region"
        aria-label={`Lines of ${untrusted(path)}`}
        className="overflow-x-auto"
      >
        <table className="w-full border-collapse font-mono text-sm">
          <tbody>
            {lines.map((line) => (
              <tr
                key={`${line.before ?? ""}:${line.after ?? ""}:${line.kind}`}
                className={classNames(tones[line.kind])}
              >
                <td className="w-px px-2 text-right text-xs text-ink-faint select-none">
                  {line.kind !== "gap" && line.before}
                </td>
                <td className="w-px px-2 text-right text-xs text-ink-faint select-none">
                  {line.kind !== "gap" && line.after}
                </td>
                <td className="w-px px-1 select-none">{marks[line.kind]}</td>
                <td className="pr-4 whitespace-pre">
                  <UntrustedText>{line.text}</UntrustedText>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  ));
}
