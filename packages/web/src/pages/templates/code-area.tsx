import { type KeyboardEvent, type ReactNode, type Ref, useRef } from "react";

import { classNames } from "../../ui/class-names.ts";
import { indentLine } from "./indent-line.ts";

interface CodeAreaProps {
  readonly label: string;
  readonly text: string;
  readonly onText: (text: string) => void;
  /** The numbers of lines to mark, from 1. */
  readonly badLines: ReadonlySet<number>;
  readonly ref?: Ref<HTMLTextAreaElement>;
}

/** A text area for YAML, with line numbers: Enter keeps the indentation. Tab leaves it, as in any form. */
export function CodeArea({ label, text, onText, badLines, ref }: CodeAreaProps): ReactNode {
  const numbers = useRef<HTMLDivElement>(null);
  const count = text.split("\n").length;
  const indent = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
    const { selectionStart: start, value } = event.currentTarget;
    const inserted = indentLine(value.slice(0, start));
    if (inserted === "\n") return;
    event.preventDefault();
    // The one way to insert a text that can be undone.
    document.execCommand("insertText", false, inserted);
  };
  return (
    <div className="flex h-[34rem] max-h-[70dvh] font-mono text-sm">
      <div
        ref={numbers}
        aria-hidden
        className="overflow-hidden border-r border-line bg-sunken py-3 text-right text-ink-faint select-none"
      >
        {Array.from({ length: count }, (_line, index) => (
          <div
            key={index}
            className={classNames("px-3", badLines.has(index + 1) && "bg-bad-soft text-bad")}
          >
            {index + 1}
          </div>
        ))}
        <div className="h-8" />
      </div>
      <textarea
        ref={ref}
        aria-label={label}
        value={text}
        spellCheck={false}
        autoCapitalize="off"
        autoComplete="off"
        wrap="off"
        onChange={(event) => onText(event.target.value)}
        onKeyDown={indent}
        onScroll={(event) => {
          if (numbers.current !== null) numbers.current.scrollTop = event.currentTarget.scrollTop;
        }}
        className="min-w-0 flex-1 resize-none bg-surface px-3 py-3 text-ink outline-offset-[-2px]"
      />
    </div>
  );
}
