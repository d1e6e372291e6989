/**
 * Looks at what was drawn and says what must not be there. It knows what our components draw; all else is a finding,
 * whatever its name, so a trick that nobody has thought of counts too.
 */

/** Elements that none of our components draws, anywhere. */
const NEVER = new Set(
  "script iframe frame frameset object embed applet portal style link meta base template noscript math foreignobject marquee noembed xmp plaintext animate animatetransform animatemotion set image use audio source track map area font center isindex param slot".split(" "),
);
/** Attributes that load, send or run something, and that none of our elements has. */
const ACTIVE = /^(?:on.*|srcdoc|formaction|action|method|srcset|ping|data|xlink:href|background|poster|http-equiv|is|target|download)$/i;
/** What a message may consist of, and the attributes that may be on it. */
const MESSAGE: Record<string, string> = {
  p: "", br: "", strong: "", em: "", del: "", code: "", bdi: "", hr: "", blockquote: "", ul: "", li: "", table: "", thead: "", tbody: "", tr: "", td: "",
  th: "scope", ol: "start", pre: "dir tabindex aria-busy", a: "href rel title", img: "src alt title draggable", span: "role aria-label title", div: "tabindex role aria-label", button: "aria-label",
};
/** Numbers with units, as our components compute them. */
const STYLE = /^(?:\s*-{0,2}[a-z-]+:\s*(?:-?[\d.]+(?:px|%|rem|deg)?|auto|\/|\s)+;?)*$/;
const SHAPES = new Set(["path", "rect", "circle", "line", "polyline", "polygon", "ellipse", "g"]);
const SCHEMES = new Set(["https:", "http:", "mailto:"]);

/** Everything in a part of the page that must not be there, the part itself included. */
export function findings(part: Element, drawing = part.closest("svg") !== null): string[] {
  const out: string[] = [];
  const say = (what: string) => out.push(`<${part.localName}>: ${what}`);
  if (NEVER.has(part.localName.toLowerCase())) say("may not be here");
  if (drawing && part.localName !== "svg" && !SHAPES.has(part.localName)) say("in a drawing");
  for (const { name, value } of part.attributes) {
    if (ACTIVE.test(name)) say(`${name} is not ours`);
    else if (name === "style" && !STYLE.test(value)) say(`style="${value}"`);
    else if (name === "class" && !/^[\w -]*$/.test(value)) say(`class="${value}"`);
    else if (name === "src" && !ours(value)) say(`src="${value}"`);
    else if (name === "href") link(part, value).forEach(say);
  }
  for (const child of part.children) out.push(...findings(child, drawing || child.localName === "svg"));
  return out;
}

/** What a message is drawn with, beyond `findings`: only the elements that markdown means. */
export function strange(message: Element): string[] {
  return [...message.querySelectorAll("*")].flatMap((element) => {
    if (element.closest("svg")) return element.closest("svg")?.matches(".lucide-icon, [class*='lucide']") ? [] : ["a drawing that is not ours"];
    const known = MESSAGE[element.localName];
    if (known === undefined) return [`<${element.localName}> in a message`];
    const allowed = ["class", ...known.split(" ")];
    return element.getAttributeNames().filter((name) => !allowed.includes(name)).map((name) => `${name} on <${element.localName}>`);
  });
}

/** Pictures come from us: the bridge's addresses, files beside the page, or drawn into it. */
function ours(address: string): boolean {
  return /^(?:\/(?!\/)|avatar:\/\/localhost\/[\w%./?=-]*$|data:image\/(?:png|svg\+xml)[;,]|blob:)/.test(address);
}

function link(element: Element, href: string): string[] {
  const out: string[] = [];
  let scheme = "";
  try {
    scheme = new URL(href).protocol;
  } catch {
    out.push(`href="${href}" is no address`);
  }
  if (!SCHEMES.has(scheme)) out.push(`href="${href}"`);
  if (element.getAttribute("rel") !== "noreferrer noopener") out.push("a link without rel");
  return out;
}

/** Elements and the names of their attributes, without any words. */
export function skeleton(element: Element): string {
  const names = element.getAttributeNames().toSorted().join(" ");
  return `<${element.localName} ${names}>${[...element.children].map(skeleton).join("")}</>`;
}

/** Written out and read again, as a copied message is: nothing may come to life. */
export function reread(element: Element): Element {
  const page = new DOMParser().parseFromString(`<!doctype html><body>${element.outerHTML}`, "text/html");
  return page.body;
}

/** Words of three letters or more that a reader would miss. */
export function missing(text: string, element: Element): string[] {
  const attributes = [...element.querySelectorAll("a, img, [aria-label]")].flatMap((one) => ["href", "alt", "aria-label"].map((name) => one.getAttribute(name) ?? ""));
  const shown = [element.textContent ?? "", ...attributes].join(" ").toLowerCase();
  const words = new Set(text.toLowerCase().match(/[a-z]{3,}/g) ?? []);
  return [...words].filter((word) => !shown.includes(word));
}
