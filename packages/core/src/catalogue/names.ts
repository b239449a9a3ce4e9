/**
 * Names of domains, collections and tags, and what keeps them valid Git references (git-check-ref-format).
 *
 * A domain is the branch `refs/heads/<domain>`, a tag `refs/tags/<domain>/<name>`.
 */
import { MbkError } from '../errors.ts';

const domainPattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const collectionPart = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const tagPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** What Git refuses in a part of a reference beyond the patterns above. */
function isReferencePart(part: string): boolean {
  return !part.includes('..') && !part.endsWith('.') && !part.endsWith('.lock');
}

/** Whether `name` can be a domain: also a branch in the exported catalogue. */
export function isDomainName(name: string): boolean {
  return domainPattern.test(name) && isReferencePart(name);
}

/** Whether `name` is `category/class`, e.g. `models/checkpoint`. */
export function isCollectionName(name: string): boolean {
  const parts = name.split('/');
  return parts.length === 2 && parts.every((part) => collectionPart.test(part));
}

/** Whether `name` is a tag of `domain`: `<domain>/` and letters, digits, `.`, `_`, `-`. */
export function isTagName(domain: string, name: string): boolean {
  if (!isDomainName(domain) || !name.startsWith(`${domain}/`)) return false;
  const part = name.slice(domain.length + 1);
  return tagPattern.test(part) && isReferencePart(part);
}

/** The name, checked; `name-invalid`. */
export function checkDomainName(name: string): string {
  if (isDomainName(name)) return name;
  throw new MbkError('name-invalid', `${JSON.stringify(name)} is no name for a domain`, { details: { domain: name } });
}

/** The name, checked; `name-invalid`. */
export function checkCollectionName(name: string): string {
  if (isCollectionName(name)) return name;
  throw new MbkError('name-invalid', `${JSON.stringify(name)} is no name for a collection`, {
    details: { collection: name },
  });
}

/**
 * Full name of a tag of `domain`: `v2` and `healthcare/v2` both give `healthcare/v2`.
 *
 * Errors: `name-invalid`, also for the tag of another domain.
 */
export function checkTagName(domain: string, name: string): string {
  const full = name.includes('/') ? name : `${domain}/${name}`;
  if (isTagName(domain, full)) return full;
  throw new MbkError('name-invalid', `${JSON.stringify(name)} is no name for a tag of domain ${domain}`, {
    details: { domain, tag: name },
  });
}
