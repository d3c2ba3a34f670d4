import { getTemplateByName, listTemplates } from "@slipway/api/templates/routes";
import type { TemplateVersion } from "@slipway/api/templates/template-version";
import { listTemplateVersions } from "@slipway/api/templates/version-routes";
import type { TemplateProblem } from "@slipway/template";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useDeferredValue, useEffect, useMemo, useRef, useState } from "react";

import { refresh } from "../../api/queries.ts";
import { UnsavedDialog } from "../../forms/unsaved-dialog.tsx";
import { Button, buttonClasses } from "../../ui/button.tsx";
import { Field, TextInput } from "../../ui/field.tsx";
import { Panel } from "../../ui/layout.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Status } from "../../ui/status.tsx";
import { untrusted, untrustedLines, UntrustedText } from "../../ui/untrusted-text.tsx";
import { CodeArea } from "./code-area.tsx";
import { checkDefinition } from "./definition-check.ts";
import { importVersion } from "./import-version.ts";
import { PromoteDialog } from "./promote-dialog.tsx";
import { type ArchivedDefinition, replaceDefinition } from "./template-archive.ts";
import { TryPanel } from "./try-panel.tsx";
import { useTemplate } from "./use-template.ts";

interface EditorProps {
  readonly version: TemplateVersion;
  readonly archive: Uint8Array<ArrayBuffer>;
  readonly definition: ArchivedDefinition;
}

/** Edits the definition of a version, checks it as one types, and saves it as a new version. */
export function Editor({ version, archive, definition }: EditorProps): ReactNode {
  const template = useTemplate();
  const cache = useQueryClient();
  const [text, setText] = useState(definition.text);
  const [savedText, setSavedText] = useState(definition.text);
  const [message, setMessage] = useState("");
  const [lines, setLines] = useState<readonly string[]>([]);
  const [imported, setImported] = useState<TemplateVersion>();
  const [isPromoting, setPromoting] = useState(false);
  const area = useRef<HTMLTextAreaElement>(null);
  const ended = useRef<AbortController>(null);
  useEffect(() => () => ended.current?.abort(), []);
  // The check takes milliseconds, and typing goes before it.
  const checkedText = useDeferredValue(text);
  const problems = useMemo(() => checkDefinition(checkedText), [checkedText]);
  const isDirty = text !== savedText;
  const save = useMutation({
    mutationFn: async (edited: string) => {
      setLines([]);
      setImported(undefined);
      ended.current = new AbortController();
      return importVersion({
        source: { tar: replaceDefinition(archive, edited) },
        templateId: template.id,
        message,
        onLine: (line) => setLines((all) => [...all, line]),
        signal: ended.current.signal,
      });
    },
    onSuccess: async (saved, edited) => {
      setSavedText(edited);
      setImported(saved);
      await refresh(cache, listTemplateVersions, getTemplateByName, listTemplates);
    },
  });
  return (
    <>
      <div className="grid items-start gap-5 xl:grid-cols-[minmax(0,1fr)_22rem]">
        <Panel
          title={
            <span>
              <UntrustedText>{definition.path}</UntrustedText>{" "}
              <span className="font-normal text-ink-soft">
                of <UntrustedText>{version.name}</UntrustedText>
              </span>
            </span>
          }
          actions={
            <Status tone={problems.length === 0 ? "good" : "bad"}>
              {problemCount(problems.length)}
            </Status>
          }
          isFlush
        >
          <CodeArea
            ref={area}
            label="Definition"
            text={text}
            onText={setText}
            badLines={new Set(problems.map(({ line }) => line))}
          />
        </Panel>
        <div className="flex flex-col gap-5">
          <Panel title="Save">
            <div className="flex flex-col gap-4">
              <Field label="Message" hint="What changed; shown in the list of versions.">
                {(ids) => <TextInput {...ids} value={message} onValue={setMessage} />}
              </Field>
              <Button
                look="primary"
                isBusy={save.isPending}
                disabledReason={
                  isDirty
                    ? problems.length > 0
                      ? "Fix the problems first"
                      : undefined
                    : "Nothing has changed"
                }
                onClick={() => save.mutate(text)}
              >
                Save as new version
              </Button>
              {definition.others.length > 0 && (
                <p className="text-sm text-ink-soft">
                  The other files of the archive are kept:{" "}
                  {untrusted(definition.others.slice(0, 5).join(", "))}
                  {definition.others.length > 5 && ` and ${definition.others.length - 5} more`}.
                </p>
              )}
            </div>
          </Panel>
          <Problems problems={problems} text={checkedText} area={area} />
        </div>
      </div>
      {save.isError && <Notice tone="bad" title={save.error.message} />}
      {(save.isPending || imported !== undefined) && (
        <ImportResult lines={lines} version={imported} onPromote={() => setPromoting(true)} />
      )}
      {imported?.job.status === "succeeded" && <TryPanel key={imported.id} version={imported} />}
      {isPromoting && imported !== undefined && (
        <PromoteDialog version={imported} onClose={() => setPromoting(false)} />
      )}
      <UnsavedDialog isDirty={isDirty} isSaving={save.isPending}>
        Your changes since the last version will be lost.
      </UnsavedDialog>
    </>
  );
}

function problemCount(count: number): string {
  if (count === 0) return "No problems";
  return count === 1 ? "1 problem" : `${count} problems`;
}

interface ProblemsProps {
  readonly problems: readonly TemplateProblem[];
  readonly text: string;
  readonly area: { readonly current: HTMLTextAreaElement | null };
}

/** The problems of the text; each leads to its place. */
function Problems({ problems, text, area }: ProblemsProps): ReactNode {
  if (problems.length === 0) return null;
  const goTo = ({ line, column }: TemplateProblem): void => {
    const before = text.split("\n").slice(0, line - 1);
    const offset = before.reduce((total, one) => total + one.length + 1, 0) + column - 1;
    area.current?.focus();
    area.current?.setSelectionRange(offset, offset);
  };
  return (
    <Panel title="Problems" isFlush>
      <ul aria-label="Problems" className="max-h-96 overflow-y-auto">
        {problems.map((problem) => (
          <li
            key={`${problem.line}:${problem.column}:${problem.path}:${problem.message}`}
            className="border-b border-line last:border-b-0"
          >
            <button
              type="button"
              className="block w-full px-4 py-2 text-left text-sm hover:bg-hover"
              onClick={() => goTo(problem)}
            >
              <span className="block font-medium wrap-anywhere">
                {problem.line}:{problem.column}{" "}
                <span className="font-mono">
                  <UntrustedText>{problem.path}</UntrustedText>
                </span>
              </span>
              <span className="block wrap-anywhere text-ink-soft">
                <UntrustedText>{problem.message}</UntrustedText>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

interface ImportResultProps {
  readonly lines: readonly string[];
  /** Undefined while the import runs. */
  readonly version: TemplateVersion | undefined;
  readonly onPromote: () => void;
}

function ImportResult({ lines, version, onPromote }: ImportResultProps): ReactNode {
  const template = useTemplate();
  const isActive = version?.id === template.active_version_id;
  const hasFailed = version !== undefined && version.job.status !== "succeeded";
  return (
    <Panel
      title="Import"
      actions={
        version !== undefined && (
          <div className="flex flex-wrap items-center gap-3 text-sm">
            <Status tone={hasFailed ? "bad" : "good"}>
              {hasFailed ? "Failed" : `Saved as ${untrusted(version.name)}`}
            </Status>
            {!hasFailed && (
              <>
                <Link
                  to="/templates/$template/versions/$version"
                  params={{ template: template.name, version: version.id }}
                  className={buttonClasses("secondary", "small")}
                >
                  Changes
                </Link>
                <Button
                  size="small"
                  disabledReason={isActive ? "It is already active" : undefined}
                  onClick={onPromote}
                >
                  Promote…
                </Button>
              </>
            )}
          </div>
        )
      }
      isFlush
    >
      <pre
        tabIndex={0}
        aria-label="Log of the import"
        className="max-h-64 overflow-auto bg-sunken p-4 font-mono text-sm whitespace-pre-wrap wrap-anywhere"
      >
        {untrustedLines([...lines, ...(hasFailed ? [version.job.error ?? ""] : [])].join("\n")) ||
          "Waiting for a server…"}
      </pre>
    </Panel>
  );
}
