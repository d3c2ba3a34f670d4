import { Outlet } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { PageHeader } from "../../ui/layout.tsx";
import { Tabs } from "../../ui/tabs.tsx";

/** The frame of the pages about the user's own account. */
export function SettingsFrame(): ReactNode {
  return (
    <>
      <PageHeader title="Account">Your profile, keys and preferences.</PageHeader>
      <Tabs
        label="Account"
        tabs={[
          { label: "Profile", link: { to: "/settings/account" } },
          { label: "Security", link: { to: "/settings/security" } },
          { label: "Tokens", link: { to: "/settings/tokens" } },
          { label: "SSH key", link: { to: "/settings/ssh-keys" } },
          { label: "External accounts", link: { to: "/settings/external-auth" } },
          { label: "Notifications", link: { to: "/settings/notifications" } },
          { label: "Appearance", link: { to: "/settings/appearance" } },
        ]}
      />
      <Outlet />
    </>
  );
}
