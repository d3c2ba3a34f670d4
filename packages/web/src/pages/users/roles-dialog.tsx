import { listRoles, listUsers, updateUserRoles } from "@slipway/api/users/routes";
import type { RoleName, User } from "@slipway/api/users/user";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { client } from "../../api/client.ts";
import { refresh, routeQuery } from "../../api/queries.ts";
import { FailureNotice } from "../../components/page-failure.tsx";
import { useStoredForm } from "../../forms/stored-form.ts";
import { ConfirmDialog } from "../../ui/dialog.tsx";
import { Checkbox } from "../../ui/field.tsx";
import { Skeleton } from "../../ui/layout.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { untrusted } from "../../ui/untrusted-text.tsx";

/** The permissions of each role, for the people who assign them. */
const roleMeanings: Readonly<Record<string, string>> = {
  owner: "Everything, including all users' workspaces.",
  "template-admin": "Push, edit and delete templates; see every workspace, pool and user.",
  "user-admin": "Create users; change, suspend and delete users without a role.",
  auditor: "See every user, the audit trail and the connection log.",
  member: "Create and use their own workspaces. Every user is a member.",
};

/** Changes the roles of a user, with what each of them means. */
export function RolesDialog({
  user,
  onClose,
}: {
  readonly user: User;
  readonly onClose: () => void;
}): ReactNode {
  const cache = useQueryClient();
  const toaster = useToaster();
  const roles = useQuery(routeQuery(listRoles));
  const known = user.roles.map((role) => role.name);
  const names = [...(roles.data ?? []).map((role) => role.name), ...known];
  const [chosen, setChosen] = useStoredForm(
    Object.fromEntries(names.map((role) => [role, known.includes(role)])),
  );
  const name = untrusted(user.username);
  const save = async (): Promise<void> => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- names that the server listed
    const wanted = names.filter((role) => chosen[role] === true) as RoleName[];
    const body = { roles: [...new Set(wanted)], expected_roles: known };
    try {
      await client.call(updateUserRoles, { params: { user: user.id }, body });
    } finally {
      // Another owner may have changed them, which the form then shows.
      await refresh(cache, listUsers);
    }
    toaster.show(`Roles of ${name} saved.`);
  };
  return (
    <ConfirmDialog
      title={`Roles of ${name}`}
      action="Save roles"
      disabledReason={roles.isSuccess ? undefined : "The roles have not been read"}
      onConfirm={save}
      onClose={onClose}
    >
      <p className="text-ink-soft">Permissions of several roles add up. Changes apply at once.</p>
      {roles.isError && <FailureNotice error={roles.error} onRetry={() => void roles.refetch()} />}
      {roles.isPending && <Skeleton className="h-32 w-full" />}
      {roles.data?.map((role) => (
        <Checkbox
          key={role.name}
          label={role.display_name || role.name}
          hint={roleMeanings[role.name]}
          isDisabled={!role.assignable}
          isChecked={role.name === "member" || chosen[role.name] === true}
          onChecked={(isChosen) => setChosen({ ...chosen, [role.name]: isChosen })}
        />
      ))}
    </ConfirmDialog>
  );
}
