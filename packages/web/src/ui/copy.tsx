import { Check, Copy } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { IconButton } from "./button.tsx";

/** A button that copies a text, and says so. */
export function CopyButton({
  text,
  label = "Copy",
}: {
  readonly text: string;
  readonly label?: string;
}): ReactNode {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return undefined;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const place = useRef<HTMLSpanElement>(null);
  const copy = async (): Promise<void> => {
    if (place.current !== null) await copyText(text, place.current);
    setCopied(true);
  };
  return (
    <>
      <IconButton
        size="small"
        label={label}
        icon={isCopied ? <Check aria-hidden size={14} /> : <Copy aria-hidden size={14} />}
        onClick={() => void copy()}
      />
      <span ref={place} role="status" className="sr-only">
        {isCopied ? "Copied" : ""}
      </span>
    </>
  );
}

/**
 * Copies a text. Pages of plain http have no clipboard but the selection: `place` is where a field for it may stand, inside
 * the dialog if there is one.
 */
async function copyText(text: string, place: HTMLElement): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text);
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  place.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
}

/** A command or value to copy. */
export function CodeLine({ children }: { readonly children: string }): ReactNode {
  return (
    <div className="flex min-w-0 items-center gap-1 rounded-md border border-line bg-sunken py-0.5 pr-0.5 pl-3">
      <code
        tabIndex={0}
        className="min-w-0 flex-1 overflow-x-auto font-mono text-sm whitespace-pre"
      >
        {children}
      </code>
      <CopyButton text={children} />
    </div>
  );
}
