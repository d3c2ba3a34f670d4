import { CircleHelp, Search } from "lucide-react";
import { type ReactNode, useEffect, useEffectEvent, useId, useState } from "react";

import { IconButton } from "../../ui/button.tsx";
import { TextInput } from "../../ui/field.tsx";
import { Panel } from "../../ui/layout.tsx";

/** A search that filters change. */
interface FilteredSearch {
  readonly search: string;
  readonly onSearch: (search: string) => void;
}

interface SearchBarProps {
  /** The name of the field for screen readers. */
  readonly label: string;
  readonly placeholder: string;
  /** The search in the address of the page. */
  readonly search: string;
  readonly onSearch: (search: string) => void;
  /** The keys of the search language, with what each finds. */
  readonly terms: readonly (readonly [term: string, meaning: string])[];
  /** Filters in a line below the field, of the search as it stands in the field. */
  readonly filters?: (filter: FilteredSearch) => ReactNode;
  /** Controls beside the field. */
  readonly children?: ReactNode;
}

/** The time after the last key until a search runs, in milliseconds. */
const settleMs = 250;

/** A search that runs as one types, with its language explained on demand. */
export function SearchBar({
  label,
  placeholder,
  search,
  onSearch,
  terms,
  filters,
  children,
}: SearchBarProps): ReactNode {
  const id = useId();
  const [text, setText] = useState(search);
  const [isHelpOpen, setHelpOpen] = useState(false);
  const [applied, setApplied] = useState(search);
  const [sent, setSent] = useState<string>();
  if (applied !== search) {
    setApplied(search);
    // A filter or the history changed the search; if the field itself did, what was typed since stays.
    if (search !== sent) setText(search);
  }
  const send = useEffectEvent((next: string) => {
    if (next === search) return;
    setSent(next);
    onSearch(next);
  });
  useEffect(() => {
    const timer = setTimeout(() => send(text), settleMs);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <div className="flex flex-col gap-3">
      <div role="search" className="flex flex-wrap items-center gap-2">
        <div className="relative min-w-56 flex-1">
          <Search
            aria-hidden
            size={14}
            className="absolute top-1/2 left-2.5 -translate-y-1/2 text-ink-faint"
          />
          <TextInput
            type="search"
            aria-label={label}
            placeholder={placeholder}
            spellCheck={false}
            autoComplete="off"
            style={{ paddingLeft: "1.875rem" }}
            value={text}
            onValue={setText}
          />
        </div>
        <IconButton
          label="Search syntax"
          icon={<CircleHelp aria-hidden size={16} />}
          aria-expanded={isHelpOpen}
          aria-controls={id}
          onClick={() => setHelpOpen(!isHelpOpen)}
        />
        {children}
      </div>
      {filters !== undefined && (
        <div className="flex flex-wrap items-center gap-2">
          {filters({ search: text, onSearch })}
        </div>
      )}
      <div id={id} hidden={!isHelpOpen}>
        <Panel title="Search syntax">
          <p className="mb-3 text-ink-soft">
            Results match every term. Quotes keep spaces together: <code>name:"my box"</code>.
          </p>
          <dl className="grid gap-x-6 sm:grid-cols-[max-content_minmax(0,1fr)] sm:gap-y-2">
            {terms.map(([term, meaning]) => (
              <div key={term} className="contents">
                <dt className="wrap-anywhere">{term}</dt>
                <dd className="text-ink-soft max-sm:mb-2">{meaning}</dd>
              </div>
            ))}
          </dl>
        </Panel>
      </div>
    </div>
  );
}
