// Small drawings of our own, in the color of the text. They say nothing that is not said in words.

const PATHS = {
  accounts: "M4 5h12a1 1 0 0 1 1 1v8a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1ZM3 8.5h14M6.5 12h3",
  teams:
    "M7.5 9.5a2.75 2.75 0 1 0 0-5.5 2.75 2.75 0 0 0 0 5.5ZM2.5 16c0-2.8 2.2-4.5 5-4.5s5 1.7 5 4.5M13 4.3a2.6 2.6 0 0 1 0 5M14.5 11.8c1.8.5 3 2 3 4.2",
  analytics: "M4 16V9.5M8 16V4M12 16v-5M16 16V7",
  privacy:
    "M10 3l6 2v4.5c0 3.8-2.5 6.2-6 7.5-3.5-1.300-6-3.700-6-7.500V5l6-2ZM7.500 10l1.800 1.800 3.200-3.500",
  why: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM8 8.200c0-1.200.9-1.900 2-1.900s2 .7 2 1.800c0 1.500-2 1.700-2 3.200M10 13.700v.1",
  sun: "M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM10 2.500v1.500M10 16v1.500M2.500 10H4M16 10h1.500M4.700 4.700l1 1M14.300 14.300l1 1M15.300 4.700l-1 1M5.700 14.300l-1 1",
  moon: "M16.500 11.500A6.800 6.800 0 0 1 8.500 3.500a6.800 6.800 0 1 0 8 8Z",
  out: "M8 4H5a1 1 0 0 0-1 1v10a1 1 0 0 0 1 1h3M12.500 6.500 16 10l-3.500 3.500M16 10H8",
  search: "M9 14.500a5.500 5.500 0 1 0 0-11 5.500 5.500 0 0 0 0 11ZM13 13l3.500 3.500",
  clear: "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM7.500 7.500l5 5M12.500 7.500l-5 5",
  down: "M6 8l4 4 4-4",
  close: "M5.500 5.500l9 9M14.500 5.500l-9 9",
  check: "M4.500 10.500l3.500 3.500 7.500-8",
  cross: "M5.500 5.500l9 9M14.500 5.500l-9 9",
  desktop:
    "M4 4.500h12a1 1 0 0 1 1 1V12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5.500a1 1 0 0 1 1-1ZM7.500 16h5M10 13v3",
  mobile: "M7 3h6a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1ZM9.300 14.500h1.400",
  tablet: "M5 3h10a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H5a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1ZM9.300 14.500h1.400",
  page: "M6 3h5l4 4v9a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1ZM11 3v4h4",
  lock: "M6 9h8a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1v-5a1 1 0 0 1 1-1ZM7.500 9V6.500a2.500 2.500 0 0 1 5 0V9",
  download: "M10 3.500v9M6.500 9.500 10 13l3.500-3.500M4 16.500h12",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
