import { escapeHtml } from "./escape-html.ts";

/**
 * As much of a browser's document as Observable Plot needs to draw without one: elements that are made, nested, given
 * attributes and text, and written as markup. No queries, no events, no layout.
 */
export interface SvgDocument {
  readonly documentElement: SvgElement;
  createElement(name: string): SvgElement;
  createElementNS(namespace: string, name: string): SvgElement;
  createTextNode(text: string): SvgText;
}

interface SvgText {
  readonly text: string;
  parentNode: SvgElement | null;
}

const htmlNamespace = "http://www.w3.org/1999/xhtml";

/** A document without content. */
export function svgDocument(): SvgDocument {
  const made: SvgDocument = {
    documentElement: undefined as never,
    createElement: (name) => new SvgElement(made, htmlNamespace, name),
    createElementNS: (namespace, name) => new SvgElement(made, namespace, name),
    createTextNode: (text) => ({ text: String(text), parentNode: null }),
  };
  return Object.assign(made, { documentElement: made.createElement("html") });
}

/** An element of such a document; `outerHTML` is its markup. */
export class SvgElement {
  readonly ownerDocument: SvgDocument;
  readonly namespaceURI: string;
  readonly tagName: string;
  readonly childNodes: (SvgElement | SvgText)[] = [];
  parentNode: SvgElement | null = null;
  readonly style: { setProperty(name: string, value: string): void; removeProperty(name: string): void };
  readonly #attributes = new Map<string, string>();
  readonly #styles = new Map<string, string>();

  constructor(ownerDocument: SvgDocument, namespaceURI: string, tagName: string) {
    this.ownerDocument = ownerDocument;
    this.namespaceURI = namespaceURI;
    this.tagName = tagName;
    this.style = {
      setProperty: (name, value) => this.#styles.set(name, String(value)),
      removeProperty: (name) => this.#styles.delete(name),
    };
  }

  get children(): SvgElement[] {
    return this.childNodes.filter((node) => node instanceof SvgElement);
  }

  get firstChild(): SvgElement | SvgText | null {
    return this.childNodes[0] ?? null;
  }

  set textContent(text: string) {
    this.childNodes.length = 0;
    if (text !== "") this.append(text);
  }

  appendChild<T extends SvgElement | SvgText>(node: T): T {
    return this.insertBefore(node, null);
  }

  insertBefore<T extends SvgElement | SvgText>(node: T, before: SvgElement | SvgText | null): T {
    node.parentNode?.removeChild(node);
    const at = before === null ? this.childNodes.length : this.childNodes.indexOf(before);
    this.childNodes.splice(at, 0, node);
    node.parentNode = this;
    return node;
  }

  removeChild<T extends SvgElement | SvgText>(node: T): T {
    this.childNodes.splice(this.childNodes.indexOf(node), 1);
    node.parentNode = null;
    return node;
  }

  append(...nodes: readonly (SvgElement | SvgText | string)[]): void {
    for (const node of nodes)
      this.appendChild(typeof node === "string" ? this.ownerDocument.createTextNode(node) : node);
  }

  getAttribute(name: string): string | null {
    return this.#attributes.get(name) ?? null;
  }

  hasAttribute(name: string): boolean {
    return this.#attributes.has(name);
  }

  setAttribute(name: string, value: string): void {
    this.#attributes.set(name, String(value));
  }

  setAttributeNS(_namespace: string, name: string, value: string): void {
    this.setAttribute(name, value);
  }

  removeAttribute(name: string): void {
    this.#attributes.delete(name);
  }

  get outerHTML(): string {
    const style = [...this.#styles].map(([name, value]) => `${name}: ${value}`).join("; ");
    const given = [...this.#attributes, ...(style === "" ? [] : [["style", style] as const])];
    const attributes = given.map(([name, value]) => ` ${name}="${escapeHtml(value)}"`).join("");
    // A style sheet is raw text in HTML: entities would stand in it as they are.
    const raw = this.tagName === "style";
    const content = this.childNodes.map((node) =>
      node instanceof SvgElement ? node.outerHTML : raw ? node.text : escapeHtml(node.text),
    );
    return `<${this.tagName}${attributes}>${content.join("")}</${this.tagName}>`;
  }
}
