// What the hub's REST calls take and answer, as far as the console needs it (`/api/openapi.json` has all of it).

import type { Account, Settings, Visibility } from "@presence-hub/sdk";

export type { Account, Settings, Visibility };

export type Role = "owner" | "admin" | "member";

export interface Organization {
  readonly organizationId: string;
  readonly name: string;
  readonly role: Role;
  /** `enterprise` keeps an activity log, and so has reports. */
  readonly plan: string;
}

export interface Wedding {
  readonly weddingId: string;
  readonly name: string;
  readonly part: "client" | "supplier";
}

/** `GET /api/presence/me/channels`: who the caller is, and what they are in. */
export interface Mine {
  readonly user: { readonly userId: string; readonly displayName: string };
  readonly organizations: readonly Organization[];
  readonly weddings: readonly Wedding[];
  /** Whether the user may look at the hub itself. */
  readonly operator: boolean;
}

export interface NamedPerson {
  readonly userId: string;
  readonly displayName: string;
  /** In organizations. */
  readonly role?: Role;
  /** In weddings. */
  readonly part?: "client" | "supplier";
  readonly supplierTypes?: readonly string[];
}

export interface NamedAccount {
  readonly accountId: string;
  readonly name: string;
}

/** `GET /api/presence/me/names?channel=`: the names in a channel of the caller's, by the directory alone. */
export interface Names {
  readonly people: readonly NamedPerson[];
  readonly accounts?: readonly NamedAccount[];
}

export interface HourUsers {
  readonly hour: number;
  readonly activeUsers: number;
}

/** `GET /api/presence/analytics`. */
export interface Report {
  readonly totalSessions: number;
  /** Minutes. */
  readonly averageSessionDuration: number;
  readonly peakHours: readonly HourUsers[];
  readonly weekdays: readonly { readonly weekday: number; readonly activeUsers: number }[];
  readonly peakMonths: readonly { readonly month: number; readonly activeUsers: number }[];
  readonly mostActiveUsers: readonly { readonly userId: string; readonly totalMinutes: number }[];
  readonly pageViews: readonly {
    readonly page: string;
    readonly views: number;
    readonly uniqueUsers: number;
  }[];
  readonly deviceBreakdown: { readonly desktop: number; readonly mobile: number; readonly tablet: number };
  readonly supplierTypes: readonly {
    readonly type: string;
    readonly averageSessions: number;
    readonly peakHours: readonly HourUsers[];
  }[];
  readonly activeNow: number;
}

/** One entry of `GET /api/presence/me/audit`. A text that is not set is left out. */
export interface SettingsChange {
  readonly at: string;
  readonly before: Partial<Settings>;
  readonly after: Partial<Settings>;
}

/** What stands in place of a choice that is only the subject's to know. */
export const OWN_CHOICE = "the subject's own choice";

export interface Shared {
  readonly channel: string;
  readonly subjectRole?: Role;
  readonly viewerRole?: Role;
}

export type Rule =
  | { readonly rule: "same_user"; readonly holds: boolean }
  | {
      readonly rule: "organization_member" | "wedding_collaborator";
      readonly holds: boolean;
      readonly channels: readonly Shared[];
    }
  | { readonly rule: "visibility"; readonly choice: Visibility | typeof OWN_CHOICE }
  | {
      readonly rule: "appear_offline" | "show_activity" | "show_current_page";
      readonly choice: boolean | typeof OWN_CHOICE;
    };

/** `GET /api/presence/why`. `visible` is left out where it would tell what the subject chose. */
export interface Why {
  readonly subject: string;
  readonly viewer: string;
  readonly visible?: boolean;
  readonly rules: readonly Rule[];
}

/** One series of a metric (docs/operations.md); of a histogram one bucket, its sum or its count. */
export interface Figure {
  readonly name: string;
  readonly labels?: { readonly [label: string]: string };
  readonly value: number;
}

/** `GET /api/system`, for operators. */
export interface System {
  readonly version: string;
  readonly health: {
    readonly ready: boolean;
    /** Those conditions that do not hold and without which clients are served all the same. */
    readonly degraded: readonly string[];
    readonly conditions: { readonly [condition: string]: boolean };
  };
  readonly figures: readonly Figure[];
}

/** `GET /demo/personas`, of a demo alone. */
export interface Persona {
  readonly id: string;
  readonly name: string;
  readonly says: string;
  readonly token: string;
  readonly start: string;
}

export function mayAdminister(role: Role | undefined): boolean {
  return role === "owner" || role === "admin";
}
