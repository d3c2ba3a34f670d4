import type { SearchAddon } from "@xterm/addon-search";
import { ChevronDown, ChevronUp, X } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { IconButton } from "../../ui/button.tsx";
import { TextInput } from "../../ui/field.tsx";

/** Searches the screen and what has scrolled off it. */
export function SearchBar({
  search,
  onClose,
}: {
  readonly search: SearchAddon;
  readonly onClose: () => void;
}): ReactNode {
  const [text, setText] = useState("");
  const [isFound, setFound] = useState(true);
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  const find = (direction: "next" | "previous", wanted = text): void => {
    const isIncremental = direction === "previous" && wanted !== text;
    const hasMatch =
      wanted === "" ||
      (direction === "next"
        ? search.findNext(wanted)
        : search.findPrevious(wanted, { incremental: isIncremental }));
    setFound(hasMatch);
  };
  return (
    <search className="flex items-center gap-1 border-b border-line bg-surface px-2 py-1">
      <div className="w-64 max-w-full">
        <TextInput
          ref={input}
          aria-label="Find in terminal"
          placeholder="Find"
          value={text}
          aria-invalid={!isFound || undefined}
          onValue={(wanted) => {
            setText(wanted);
            find("previous", wanted);
          }}
          onKeyDown={(event) => {
            if (event.key === "Escape") onClose();
            if (event.key === "Enter") find(event.shiftKey ? "next" : "previous");
          }}
        />
      </div>
      <IconButton
        label="Previous match"
        icon={<ChevronUp aria-hidden size={16} />}
        onClick={() => find("previous")}
      />
      <IconButton
        label="Next match"
        icon={<ChevronDown aria-hidden size={16} />}
        onClick={() => find("next")}
      />
      <span role="status" className="text-sm text-bad">
        {isFound ? "" : "No match"}
      </span>
      <span className="flex-1" />
      <IconButton label="Close search" icon={<X aria-hidden size={16} />} onClick={onClose} />
    </search>
  );
}
