import { logout } from "@slipway/api/users/routes";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { BookOpen, ChevronsUpDown, LogOut, Settings, UserRound } from "lucide-react";
import type { ReactNode } from "react";

import { client } from "../../api/client.ts";
import { forgetSession } from "../../api/page-session.ts";
import { useMe } from "../../api/session.ts";
import { Button } from "../../ui/button.tsx";
import { Menu } from "../../ui/menu.tsx";
import { useToaster } from "../../ui/toasts.tsx";
import { UntrustedText } from "../../ui/untrusted-text.tsx";

/** The user of the page, and what concerns only them. */
export function UserMenu(): ReactNode {
  const me = useMe();
  const navigate = useNavigate();
  const cache = useQueryClient();
  const toaster = useToaster();
  const logOut = useMutation({
    mutationFn: () => client.call(logout),
    onSuccess: async () => {
      forgetSession();
      cache.clear();
      await navigate({ to: "/login" });
    },
    onError: (error) => toaster.fail(`Could not log out: ${error.message}`),
  });
  return (
    <Menu
      trigger={
        <Button look="ghost" shape="row">
          <span className="flex min-w-0 items-center gap-2.5">
            <UserRound aria-hidden size={16} className="shrink-0" />
            <span className="truncate">
              <UntrustedText>{me.username}</UntrustedText>
            </span>
          </span>
          <ChevronsUpDown aria-hidden size={14} className="shrink-0 text-ink-faint" />
        </Button>
      }
      entries={() => [
        {
          label: "Account",
          icon: <Settings size={15} />,
          onSelect: () => void navigate({ to: "/settings/account" }),
        },
        {
          label: "Documentation",
          icon: <BookOpen size={15} />,
          onSelect: () => location.assign("/docs"),
        },
        {
          label: "Log out",
          icon: <LogOut size={15} />,
          startsGroup: true,
          onSelect: () => logOut.mutate(),
        },
      ]}
    />
  );
}
