import { listUsers } from "@slipway/api/users/routes";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { UserPlus, Users } from "lucide-react";
import { type ReactNode, useState } from "react";

import { routeQuery } from "../../api/queries.ts";
import { useRights } from "../../api/session.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { RightGate } from "../../components/right-gate.tsx";
import { SearchBar } from "../../components/search/search-bar.tsx";
import { Button } from "../../ui/button.tsx";
import { EmptyState, PageHeader, Panel } from "../../ui/layout.tsx";
import { Pager } from "../../ui/pager.tsx";
import { HeaderCell, HeaderRow, SkeletonRows, Table } from "../../ui/table.tsx";
import { CreateUserDialog } from "./create-user-dialog.tsx";
import { UserRow } from "./user-row.tsx";

const route = getRouteApi("/member/framed/users");
const pageSize = 25;

const terms = [
  ["word", "part of the name, the username or the email address"],
  ["status:active", "active, dormant (never logged in) or suspended"],
  ["role:owner", "owner, template-admin, user-admin, auditor or member"],
  ["login_type:password", "password, oidc, github or none"],
] as const;

export function UsersPage(): ReactNode {
  return (
    <RightGate
      right="readUsers"
      title="Users"
      roles="owners, user admins, template admins and auditors"
    >
      <UserList />
    </RightGate>
  );
}

function UserList(): ReactNode {
  const { q = "", page = 1 } = route.useSearch();
  const navigate = route.useNavigate();
  const rights = useRights();
  const [isCreating, setCreating] = useState(false);
  const users = useQuery({
    ...routeQuery(listUsers, {
      query: { q, limit: String(pageSize), offset: String((page - 1) * pageSize) },
    }),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <PageHeader
        title="Users"
        actions={
          <Button
            look="primary"
            icon={<UserPlus aria-hidden size={14} />}
            disabledReason={
              rights.createUsers ? undefined : "Only owners and user admins can create users"
            }
            onClick={() => setCreating(true)}
          >
            New user
          </Button>
        }
      >
        The people who may log in to this deployment, and their roles.
      </PageHeader>
      <SearchBar
        label="Search users"
        placeholder="Search users, or status:suspended"
        search={q}
        terms={terms}
        onSearch={(next) =>
          void navigate({ search: next === "" ? {} : { q: next }, replace: true })
        }
      />
      {users.isError && <FailureNotice error={users.error} onRetry={() => void users.refetch()} />}
      {users.data?.count === 0 ? (
        <Panel>
          <EmptyState icon={<Users size={28} />} title="No user matches">
            Try part of a name or of an email address.
          </EmptyState>
        </Panel>
      ) : (
        <Panel isFlush>
          <Table label="Users">
            <HeaderRow>
              <HeaderCell>User</HeaderCell>
              <HeaderCell>Roles</HeaderCell>
              <HeaderCell className="max-sm:hidden">Status</HeaderCell>
              <HeaderCell className="max-sm:hidden">Login</HeaderCell>
              <HeaderCell className="max-sm:hidden">Last seen</HeaderCell>
              <HeaderCell>
                <span className="sr-only">Actions</span>
              </HeaderCell>
            </HeaderRow>
            <tbody>
              {users.isPending && <SkeletonRows columns={6} rows={5} />}
              {users.data?.users.map((user) => (
                <UserRow key={user.id} user={user} />
              ))}
            </tbody>
          </Table>
        </Panel>
      )}
      <Pager
        page={page}
        pageSize={pageSize}
        count={users.data?.count ?? 0}
        linkTo={(to) => ({ to: "/users", search: { ...(q !== "" && { q }), page: to } })}
      />
      {isCreating && <CreateUserDialog onClose={() => setCreating(false)} />}
    </>
  );
}
