/**
 * Chat templates are programs in Jinja. One that reaches through Python's attributes to its modules runs anything on the
 * machine of whoever renders it outside a sandbox (CVE-2024-34359). No template for chats has a use for these words.
 */

const dangers: readonly RegExp[] = [
  /__(?:class|bases?|mro|subclasses|globals|builtins|init|import|getattribute|getattr|dict|code|reduce|self|loader|spec)__/,
  /\b(?:os|posix|nt)\s*\.\s*(?:system|popen|exec\w*|spawn\w*|environ)\b/,
  /\b(?:subprocess|importlib|ctypes)\s*\./,
  /\bpopen\s*\(/,
  /\|\s*attr\s*\(/,
];

/** The first words in a template that have no business in one, or undefined. */
export function dangerIn(template: string): string | undefined {
  for (const danger of dangers) {
    const found = danger.exec(template)?.[0];
    if (found !== undefined) return found;
  }
  return undefined;
}
