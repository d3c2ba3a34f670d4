import { listInboxNotifications, watchInboxNotifications } from "@slipway/api/notifications/routes";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useRouterState } from "@tanstack/react-router";
import { Bell, Menu as MenuIcon, X } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";

import { refresh, routeQuery } from "../../api/queries.ts";
import { useRights } from "../../api/session.ts";
import { useStream } from "../../api/use-stream.ts";
import { IconButton } from "../../ui/button.tsx";
import { classNames } from "../../ui/class-names.ts";
import { Logo } from "./logo.tsx";
import { navigation } from "./navigation.ts";
import { UserMenu } from "./user-menu.tsx";

/** The frame of the pages: a sidebar, which is a drawer on narrow screens, and the page beside it. */
export function Shell(): ReactNode {
  const [isOpen, setOpen] = useState(false);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  useEffect(() => setOpen(false), [path]);
  const main = useRef<HTMLElement>(null);
  useFocusOnChange(main);
  return (
    <div className="min-h-dvh lg:grid lg:grid-cols-[13.5rem_minmax(0,1fr)]">
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-40 focus:rounded-md focus:bg-raised focus:px-3 focus:py-2"
      >
        Skip to content
      </a>
      <header className="flex h-12 items-center justify-between border-b border-line bg-surface px-3 lg:hidden">
        <Logo />
        <IconButton
          label={isOpen ? "Close navigation" : "Open navigation"}
          icon={isOpen ? <X aria-hidden size={18} /> : <MenuIcon aria-hidden size={18} />}
          aria-expanded={isOpen}
          aria-controls="navigation"
          onClick={() => setOpen(!isOpen)}
        />
      </header>
      <aside
        id="navigation"
        aria-label="Sidebar"
        className={classNames(
          "flex-col border-line bg-surface p-3 lg:sticky lg:top-0 lg:flex lg:h-dvh lg:border-r",
          isOpen ? "flex border-b" : "hidden",
        )}
      >
        <div className="mb-5 hidden px-2 pt-1 lg:block">
          <Logo />
        </div>
        <Navigation />
        <div className="mt-4 flex flex-col gap-0.5 lg:mt-auto">
          <InboxLink />
          <UserMenu />
        </div>
      </aside>
      <main ref={main} id="content" tabIndex={-1} className="min-w-0 outline-none">
        <div className="mx-auto flex max-w-7xl flex-col gap-5 px-4 py-5 sm:px-6 lg:px-8 lg:py-7">
          <Outlet />
        </div>
      </main>
    </div>
  );
}

/** Moves the focus into the page once another is shown, so that the keyboard continues there. */
function useFocusOnChange(main: { readonly current: HTMLElement | null }): void {
  const path = useRouterState({ select: ({ resolvedLocation }) => resolvedLocation?.pathname });
  const shown = useRef(path);
  useEffect(() => {
    const isFirst = shown.current === undefined;
    const isSame = shown.current === path;
    shown.current = path;
    if (isFirst || isSame || main.current?.contains(document.activeElement) === true) return;
    main.current?.focus({ preventScroll: true });
  }, [path, main]);
}

function Navigation(): ReactNode {
  const rights = useRights();
  const groups = navigation
    .map((entries) => entries.filter(({ right }) => right === undefined || rights[right]))
    .filter((entries) => entries.length > 0);
  return (
    <nav aria-label="Main" className="flex flex-col gap-4">
      {groups.map((entries) => (
        <ul key={entries[0]?.to} className="flex flex-col gap-0.5">
          {entries.map(({ label, to, icon: Icon }) => (
            <li key={to}>
              <Link
                to={to}
                className="flex h-8 items-center gap-2.5 rounded-md px-2 text-sm font-medium text-ink-soft hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent pointer-coarse:h-11"
              >
                <Icon aria-hidden size={16} />
                {label}
              </Link>
            </li>
          ))}
        </ul>
      ))}
    </nav>
  );
}

/** Leads to the inbox, and shows how many of its notifications are unread, live. */
function InboxLink(): ReactNode {
  const cache = useQueryClient();
  const inbox = useQuery(routeQuery(listInboxNotifications, { query: { read_status: "unread" } }));
  const read = (): void => void refresh(cache, listInboxNotifications);
  useStream(watchInboxNotifications, {}, { onMessage: read, onMissed: read });
  const unread = inbox.data?.unread_count ?? 0;
  return (
    <Link
      to="/inbox"
      className="flex h-8 items-center gap-2.5 rounded-md px-3 text-sm font-medium text-ink-soft hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent pointer-coarse:h-11"
    >
      <Bell aria-hidden size={16} />
      Inbox
      {unread > 0 && (
        <span className="ml-auto rounded-full bg-accent px-1.5 text-xs font-semibold text-on-accent tabular-nums">
          {unread}
          <span className="sr-only"> unread</span>
        </span>
      )}
    </Link>
  );
}
