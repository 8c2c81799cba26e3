// A report of a busy summer, to see how it looks.

import type { Report } from "../../src/contract.js";
import type { Town } from "./town.js";

export function season(of: Town): Report {
  const day = [0, 0, 0, 0, 0, 0, 6, 14, 38, 61, 74, 70, 52, 58, 79, 83, 77, 64, 41, 33, 27, 18, 9, 4];
  const members = ["vera", "val", "mallory", "vic", "adam", "olga"];
  const pages = [
    "/inbox",
    "/weddings/timeline",
    "/weddings/guests",
    "/calendar",
    "/suppliers",
    "/budget",
    "/seating",
  ];
  return {
    totalSessions: 4_218,
    averageSessionDuration: 47.3,
    peakHours: day.flatMap((activeUsers, hour) => (activeUsers < 3 ? [] : [{ hour, activeUsers }])),
    weekdays: [64, 71, 78, 82, 93, 118, 57].map((activeUsers, at) => ({ weekday: at + 1, activeUsers })),
    peakMonths: [31, 38, 52, 66, 88, 121, 109, 103, 86, 54, 40].map((activeUsers, at) => ({
      month: at + 1,
      activeUsers,
    })),
    mostActiveUsers: members.map((who, at) => ({
      userId: of.people[who] ?? "",
      totalMinutes: Math.round(7_940 / (1 + at * 0.35)),
    })),
    pageViews: pages.map((page, at) => ({
      page,
      views: Math.round(9_310 / (1 + at * 0.6)),
      uniqueUsers: 96 - at * 9,
    })),
    deviceBreakdown: { desktop: 2_480, mobile: 1_322, tablet: 303 },
    supplierTypes: [
      {
        type: "venue",
        averageSessions: 14.2,
        peakHours: [9, 10, 15].map((hour) => ({ hour, activeUsers: 12 })),
      },
      {
        type: "photographer",
        averageSessions: 11.8,
        peakHours: [14, 15].map((hour) => ({ hour, activeUsers: 9 })),
      },
      { type: "florist", averageSessions: 7.5, peakHours: [{ hour: 7, activeUsers: 5 }] },
      { type: "catering", averageSessions: 6.1, peakHours: [] },
    ],
    activeNow: 131,
  };
}
