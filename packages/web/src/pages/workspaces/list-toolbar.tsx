import { buildStatuses } from "@slipway/api/builds/build";
import { listTemplates } from "@slipway/api/templates/routes";
import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { routeQuery } from "../../api/queries.ts";
import { SearchBar } from "../../components/search/search-bar.tsx";
import { TermChip, TermSelect } from "../../components/search/term-filters.tsx";
import { ChipSelect } from "../../ui/chip.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";
import { type ListSearch, ownWorkspaces } from "./list-search.ts";

const sortNames = { name: "Name", last_used: "Last used", status: "Status" } as const;
const groupNames = { template: "Template", organization: "Organization" } as const;

const terms = [
  ["dev", "“dev” in the name"],
  ["ann/dev", "of the user ann, with “dev” in the name"],
  ["owner:me", "of a user; “me” stands for you"],
  ["status:running", "pending, starting, running, stopping, stopped, failed, …"],
  ["template:small", "made from a template"],
  ["organization:default", "of an organization"],
  ["outdated:true", "with another version than the active one"],
  ["dormant:true", "stopped for lack of use"],
  ["favorite:true", "marked as a favorite by its owner"],
  ["healthy:false", "with an agent that does not answer"],
  ["has_agent:connected", "with an agent that is connecting, connected, disconnected or timeout"],
  ["last_used_before:2026-01-31", "not used since; also last_used_after"],
  ["param:region=eu", "with a value of a parameter"],
  ["-status:stopped", "not in that state; also -word, -owner, -name, -template and -organization"],
] as const;

interface ListToolbarProps {
  readonly search: ListSearch;
  readonly onSearch: (search: ListSearch) => void;
}

/** The search of the list, and what is often wanted of it. */
export function ListToolbar({ search, onSearch }: ListToolbarProps): ReactNode {
  const q = search.q ?? ownWorkspaces;
  const setQ = (next: string): void => {
    const { q: _, ...others } = search;
    onSearch(next.trim() === ownWorkspaces ? others : { ...others, q: next });
  };
  const templates = useQuery(routeQuery(listTemplates));
  const set = (key: "sort" | "group", value: string): void => {
    const { [key]: _, ...others } = search;
    onSearch(value === "" ? others : { ...others, [key]: value });
  };
  return (
    <SearchBar
      search={q}
      onSearch={setQ}
      label="Search workspaces"
      placeholder="Name, or owner:ann status:running -template:old"
      terms={terms}
      filters={(filter) => (
        <>
          <TermChip {...filter} label="Mine" term="owner" value="me" />
          <TermSelect
            {...filter}
            label="Status"
            term="status"
            choices={buildStatuses.map((status) => [status, capitalized(status)])}
          />
          <TermSelect
            {...filter}
            label="Template"
            term="template"
            choices={(templates.data ?? []).map(({ name, display_name: displayName }) => [
              name,
              untrusted(displayName === "" ? name : displayName),
            ])}
          />
          {["outdated", "dormant", "favorite"].map((term) => (
            <TermChip {...filter} key={term} label={capitalized(term)} term={term} value="true" />
          ))}
          <div className="flex flex-wrap gap-2 sm:ml-auto">
            <ChipSelect
              label="Group by"
              value={search.group ?? ""}
              choices={Object.entries(groupNames)}
              onValue={(value) => set("group", value)}
            />
            <ChipSelect
              label="Running first"
              value={search.sort ?? ""}
              choices={Object.entries(sortNames).map(([sort, name]) => [
                sort,
                `By ${name.toLowerCase()}`,
              ])}
              onValue={(value) => set("sort", value)}
            />
          </div>
        </>
      )}
    />
  );
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
