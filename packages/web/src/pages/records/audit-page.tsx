import { auditActions, type AuditLog, auditResourceTypes } from "@slipway/api/audit/audit-log";
import { listAuditLogs } from "@slipway/api/audit/routes";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { ChevronRight, ScrollText } from "lucide-react";
import type { ReactNode } from "react";

import { routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { RightGate } from "../../components/right-gate.tsx";
import { SearchBar } from "../../components/search/search-bar.tsx";
import { TermDate } from "../../components/search/term-date.tsx";
import { TermSelect } from "../../components/search/term-filters.tsx";
import { EmptyState, PageHeader, Panel, Skeleton } from "../../ui/layout.tsx";
import { Pager } from "../../ui/pager.tsx";
import { Badge } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";
import { sentenceOf, valueText, wordsOf } from "./audit-text.ts";

const route = getRouteApi("/member/framed/audit");
const pageSize = 25;

const terms = [
  ["word", "the full name of the resource"],
  ["username:ann", "the user who acted; also email:ann@example.com"],
  ["resource_type:user", "the kind of the resource"],
  ["resource_id:…", "the id of the resource"],
  ["action:create", "what was done"],
  ["build_reason:autostart", "why a build began: initiator, autostart or autostop"],
  ["date_from:2026-01-31", "that day or later, in UTC; date_to: that day or earlier"],
  ["-action:login", "anything else; a minus sign before any term excludes what it matches"],
] as const;

export function AuditPage(): ReactNode {
  return (
    <RightGate right="readAudit" title="Audit trail" roles="owners and auditors">
      <AuditTrail />
    </RightGate>
  );
}

function AuditTrail(): ReactNode {
  const { q = "", page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const setSearch = (next: string): void =>
    void navigate({ search: next === "" ? {} : { q: next }, replace: true });
  const log = useQuery({
    ...routeQuery(listAuditLogs, {
      query: { q, limit: String(pageSize), offset: String((page - 1) * pageSize) },
    }),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <PageHeader title="Audit trail">
        Who changed what, when and from where. Secrets are never recorded.
      </PageHeader>
      <SearchBar
        search={q}
        onSearch={setSearch}
        label="Search the audit trail"
        placeholder="Name of a resource, or username:ann -action:login"
        terms={terms}
        filters={(filter) => (
          <>
            <TermSelect {...filter} label="Action" term="action" choices={named(auditActions)} />
            <TermSelect
              {...filter}
              label="Resource"
              term="resource_type"
              choices={named(auditResourceTypes)}
            />
            <TermDate {...filter} label="From" term="date_from" />
            <TermDate {...filter} label="To" term="date_to" />
          </>
        )}
      />
      {log.isError ? (
        <FailureNotice error={log.error} onRetry={() => void log.refetch()} />
      ) : (
        <Panel isFlush>
          {log.isPending && <LoadingEntries />}
          {log.data?.audit_logs.length === 0 && (
            <EmptyState icon={<ScrollText size={28} />} title="No entry matches">
              Every change, login and read of a secret is listed here. Try fewer filters.
            </EmptyState>
          )}
          <ul aria-label="Entries">
            {log.data?.audit_logs.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </ul>
        </Panel>
      )}
      <Pager
        page={page}
        pageSize={pageSize}
        count={log.data?.count ?? 0}
        isCapped={log.data !== undefined && log.data.count >= log.data.count_cap}
        linkTo={(next) => ({ to: "/audit", search: { ...(q === "" ? {} : { q }), page: next } })}
      />
    </>
  );
}

/** Returns the choices of a filter, with their names. */
function named(values: readonly string[]): readonly (readonly [value: string, text: string])[] {
  return values.map((value) => [value, wordsOf(value)]);
}

function LoadingEntries(): ReactNode {
  return Array.from({ length: 6 }, (_row, index) => (
    <div key={index} className="flex gap-4 border-b border-line px-4 py-3">
      <Skeleton className="h-4 w-24" />
      <Skeleton className="h-4 w-72 max-w-full" />
    </div>
  ));
}

function Entry({ entry }: { readonly entry: AuditLog }): ReactNode {
  const changes = Object.entries(entry.diff);
  const hasFailed = entry.status_code >= 400;
  return (
    <li className="border-b border-line last:border-b-0">
      <details className="group">
        <summary className="flex flex-wrap items-baseline gap-x-4 gap-y-1 px-4 py-2.5 text-sm hover:bg-hover">
          <span className="flex w-32 shrink-0 items-baseline gap-1.5 text-ink-soft">
            <ChevronRight
              aria-hidden
              size={14}
              className="shrink-0 self-center transition-transform group-open:rotate-90"
            />
            <Time time={entry.time} />
          </span>
          <span className="min-w-56 flex-1 wrap-anywhere">
            {sentenceOf(entry).map(({ place, text, isName }) =>
              isName ? (
                <span key={place} className="font-medium">
                  <UntrustedText>{text}</UntrustedText>
                </span>
              ) : (
                <span key={place}>{untrusted(text)}</span>
              ),
            )}
          </span>
          <span className="flex gap-1">
            {hasFailed && <Badge tone="bad">refused, {entry.status_code}</Badge>}
            {changes.length > 0 && (
              <Badge>{changes.length === 1 ? "1 change" : `${changes.length} changes`}</Badge>
            )}
            <Badge>{wordsOf(entry.resource_type)}</Badge>
          </span>
        </summary>
        <div className="flex flex-col gap-3 bg-sunken px-4 py-3 text-sm">
          <Origin entry={entry} />
          {changes.length > 0 && <Changes changes={changes} />}
        </div>
      </details>
    </li>
  );
}

function Origin({ entry }: { readonly entry: AuditLog }): ReactNode {
  const facts: readonly (readonly [string, string])[] = [
    ["Time", entry.time],
    ["Address", entry.ip],
    ["Program", entry.user_agent],
    ["Resource", `${entry.resource_type} ${entry.resource_id}`],
    ...Object.entries(entry.additional_fields).map(
      ([name, value]) => [wordsOf(name), valueText(value)] as const,
    ),
  ];
  return (
    <dl className="grid gap-x-6 gap-y-1 sm:grid-cols-[max-content_minmax(0,1fr)]">
      {facts
        .filter(([, value]) => value !== "")
        .map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-ink-soft">{untrusted(name)}</dt>
            <dd className="wrap-anywhere">
              <UntrustedText>{value}</UntrustedText>
            </dd>
          </div>
        ))}
    </dl>
  );
}

/** The fields that changed, each with its value before and after. */
function Changes({
  changes,
}: {
  readonly changes: readonly (readonly [string, AuditLog["diff"][string]])[];
}): ReactNode {
  return (
    <ul className="flex flex-col gap-2">
      {changes.map(([field, change]) => (
        <li key={field} className="overflow-hidden rounded-md border border-line bg-surface">
          <p className="border-b border-line px-3 py-1 font-medium">
            <UntrustedText>{field}</UntrustedText>
          </p>
          {change.secret ? (
            <p className="px-3 py-1.5 text-ink-soft">A secret; its values are not recorded.</p>
          ) : (
            <>
              <p className="bg-bad-soft px-3 py-1 font-mono wrap-anywhere text-bad">
                <span aria-hidden>− </span>
                <span className="sr-only">before: </span>
                <UntrustedText>{valueText(change.old)}</UntrustedText>
              </p>
              <p className="bg-good-soft px-3 py-1 font-mono wrap-anywhere text-good">
                <span aria-hidden>+ </span>
                <span className="sr-only">after: </span>
                <UntrustedText>{valueText(change.new)}</UntrustedText>
              </p>
            </>
          )}
        </li>
      ))}
    </ul>
  );
}
