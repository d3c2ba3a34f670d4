import type { LinkProps } from "@tanstack/react-router";
import {
  Cable,
  HeartPulse,
  LayoutTemplate,
  type LucideIcon,
  MonitorDot,
  ScrollText,
  ServerCog,
  SlidersHorizontal,
  Users,
  Waves,
} from "lucide-react";

import type { Right } from "../../api/session.ts";

interface NavigationEntry {
  readonly label: string;
  readonly to: NonNullable<LinkProps["to"]>;
  readonly icon: LucideIcon;
  /** The right without which the page is empty; undefined if everyone has it. */
  readonly right?: Right;
}

/** The pages of the sidebar: those of everyone's work first, then those of the deployment. */
export const navigation: readonly (readonly NavigationEntry[])[] = [
  [
    { label: "Workspaces", to: "/workspaces", icon: MonitorDot },
    { label: "Templates", to: "/templates", icon: LayoutTemplate },
    { label: "Pools", to: "/pools", icon: Waves, right: "createTemplates" },
  ],
  [
    { label: "Users", to: "/users", icon: Users, right: "readUsers" },
    { label: "Audit trail", to: "/audit", icon: ScrollText, right: "readAudit" },
    { label: "Connections", to: "/connectionlog", icon: Cable, right: "readAudit" },
    { label: "Provisioners", to: "/provisioners", icon: ServerCog, right: "updateDeployment" },
    { label: "Health", to: "/health", icon: HeartPulse, right: "readDeployment" },
    { label: "Deployment", to: "/deployment", icon: SlidersHorizontal, right: "readDeployment" },
  ],
];
