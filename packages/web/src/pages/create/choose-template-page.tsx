import { listTemplates } from "@slipway/api/templates/routes";
import type { Template } from "@slipway/api/templates/template";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { LayoutTemplate } from "lucide-react";
import { type ReactNode, useState } from "react";

import { routeQuery } from "../../api/queries.ts";
import { useRights } from "../../api/session.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { buttonClasses } from "../../ui/button.tsx";
import { CodeLine } from "../../ui/copy.tsx";
import { TextInput } from "../../ui/field.tsx";
import { EmptyState, PageHeader, Panel, Skeleton } from "../../ui/layout.tsx";
import { Badge } from "../../ui/status.tsx";
import { duration } from "../../ui/time-text.ts";
import { untrusted, UntrustedText } from "../../ui/untrusted-text.tsx";

/** The number of templates from which the page has a search. */
const manyTemplates = 8;

/** Lets people choose the template of a new workspace. */
export function ChooseTemplatePage(): ReactNode {
  const templates = useQuery(routeQuery(listTemplates));
  const [text, setText] = useState("");
  const all = (templates.data ?? []).filter(({ deprecated }) => !deprecated);
  const wanted = text.trim().toLowerCase();
  const shown = all.filter((template) =>
    [template.name, template.display_name, template.description].some((one) =>
      one.toLowerCase().includes(wanted),
    ),
  );
  return (
    <>
      <PageHeader title="New workspace">Choose a template.</PageHeader>
      {templates.isError && (
        <FailureNotice error={templates.error} onRetry={() => void templates.refetch()} />
      )}
      {all.length >= manyTemplates && (
        <TextInput
          type="search"
          aria-label="Search templates"
          placeholder="Search templates"
          value={text}
          onValue={setText}
        />
      )}
      {templates.data !== undefined && all.length === 0 && <NoTemplates />}
      <ul className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
        {templates.isPending &&
          [1, 2, 3].map((key) => (
            <li key={key} className="rounded-lg border border-line bg-surface p-4">
              <Skeleton className="mb-3 h-5 w-1/2" />
              <Skeleton />
            </li>
          ))}
        {shown.map((template) => (
          <TemplateCard
            key={template.id}
            template={template}
            isShared={all.filter(({ name }) => name === template.name).length > 1}
          />
        ))}
      </ul>
      {all.length > 0 && shown.length === 0 && (
        <p className="text-ink-soft">No template matches.</p>
      )}
    </>
  );
}

interface TemplateCardProps {
  readonly template: Template;
  /** True if another organization has a template of the same name. */
  readonly isShared: boolean;
}

function TemplateCard({ template, isShared }: TemplateCardProps): ReactNode {
  const {
    name,
    display_name: displayName,
    description,
    organization_name: organization,
  } = template;
  const { P50: medianMs } = template.build_time_stats.start;
  const link = isShared
    ? ({
        to: "/templates/$organization/$template/workspace",
        params: { organization, template: name },
      } as const)
    : ({ to: "/templates/$template/workspace", params: { template: name } } as const);
  const shown = displayName === "" ? name : displayName;
  return (
    <li className="relative flex flex-col gap-1 rounded-lg border border-line bg-surface p-4 hover:border-line-strong">
      <div className="flex items-center gap-3">
        <span
          aria-hidden
          className="flex size-8 shrink-0 items-center justify-center rounded-md bg-accent-soft font-semibold text-accent uppercase"
        >
          {untrusted(shown).slice(0, 1)}
        </span>
        <Link
          {...link}
          className="min-w-0 font-medium wrap-anywhere after:absolute after:inset-0 after:rounded-lg"
        >
          <UntrustedText>{shown}</UntrustedText>
        </Link>
        {isShared && (
          <Badge>
            <UntrustedText>{organization}</UntrustedText>
          </Badge>
        )}
      </div>
      {description !== "" && (
        <p className="line-clamp-3 text-sm text-ink-soft wrap-anywhere">
          <UntrustedText>{description}</UntrustedText>
        </p>
      )}
      <p className="mt-auto pt-2 text-xs text-ink-faint tabular-nums">
        {medianMs === null ? "Not used yet" : `Usually starts in ${duration(medianMs)}`}
        {` · ${String(template.active_user_count)} ${template.active_user_count === 1 ? "user" : "users"}`}
      </p>
    </li>
  );
}

function NoTemplates(): ReactNode {
  const { createTemplates } = useRights();
  return (
    <Panel>
      <EmptyState
        icon={<LayoutTemplate size={28} />}
        title="No templates yet"
        action={
          createTemplates ? (
            <Link to="/templates" className={buttonClasses("primary")}>
              Create your first template
            </Link>
          ) : undefined
        }
      >
        {createTemplates
          ? "A template describes the machine and the apps of a workspace. Start from an example, or write your own."
          : "Workspaces are created from templates. Ask an administrator to add one."}
      </EmptyState>
      {createTemplates && (
        <div className="mx-auto flex max-w-md flex-col gap-2 px-6 pb-8">
          <p className="text-sm text-ink-soft">On the command line:</p>
          <CodeLine>slipway templates init mine</CodeLine>
          <CodeLine>slipway templates push mine</CodeLine>
        </div>
      )}
    </Panel>
  );
}
