import { Link, type LinkProps, useRouterState } from "@tanstack/react-router";
import { type ReactNode, useEffect, useRef } from "react";

interface Tab {
  readonly label: string;
  readonly link: LinkProps;
}

/** Views of one thing. Each has its own address, so they are links. A narrow strip scrolls to the current one. */
export function Tabs({
  label,
  tabs,
}: {
  readonly label: string;
  readonly tabs: readonly Tab[];
}): ReactNode {
  const strip = useRef<HTMLElement>(null);
  const place = useRouterState({ select: ({ resolvedLocation }) => resolvedLocation?.href });
  useEffect(() => {
    const current = strip.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (strip.current === null || !current) return;
    // Only the strip scrolls: `scrollIntoView` would move the page as well.
    const { offsetLeft: from, offsetWidth: width } = current;
    strip.current.scrollLeft = from + width / 2 - strip.current.clientWidth / 2;
  }, [place]);
  return (
    <nav
      ref={strip}
      aria-label={label}
      className="relative -mb-px overflow-x-auto border-b border-line"
    >
      <ul className="flex gap-1">
        {tabs.map((tab) => (
          <li key={tab.label}>
            <Link
              {...tab.link}
              className="block border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-ink-soft hover:text-ink aria-[current=page]:border-accent aria-[current=page]:text-ink"
            >
              {tab.label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
