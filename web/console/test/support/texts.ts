// Texts that are more than words where somebody takes them for markup or code, or that are long, high, or of another
// direction. Each fits into a custom status: 100 characters.

const RUN = "window.hacked=1";

export const TEXTS: { readonly [what: string]: string } = {
  markup: `</p><img src onerror=${RUN}><script>${RUN}</script><style>*{display:none}</style>`,
  "an attribute": `" autofocus onfocus="${RUN}" style="position:fixed;inset:0" x='`,
  "an address": `javascript:${RUN} data:text/html,<script>parent.${RUN}</script>`,
  "a template": `{{constructor.constructor('${RUN}')()}} \${${RUN}} %s %o &lt;b&gt; &#60;`,
  "names of objects": "__proto__ constructor toString",
  "bidi overrides": "\u202e\u2067gnp.exe\u2069\u202d (1) \u200f\u061c• 2:30 PM\u2066",
  "right to left": "مكتب الاستقبال (1) • فارغ 12:30",
  "one long word": "W".repeat(100),
  "many words": "long ".repeat(20).trim(),
  "high letters": `Z${"\u0300\u0316\u20dd".repeat(33)}`,
  emoji: "👩🏽‍❤️‍💋‍👨🏿👨‍👩‍👧‍👦🏳️‍🌈🇳🇱".repeat(4),
  "wide signs": "﷽𒐫꧅".repeat(33),
  "lines and gaps": "one\n\ntwo\r\n\t\u00a0\u2003\u3000three\u2028four\u0000\u0007",
};

/** Each fits into a custom emoji: 10 characters. */
export const EMOJI: readonly string[] = [
  "📸",
  "<b>&lt;</b",
  "𒐫".repeat(10),
  `Z${"\u0300".repeat(9)}`,
  "👨‍👩‍👧‍👦",
];
