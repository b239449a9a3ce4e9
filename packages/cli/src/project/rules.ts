/**
 * Rules of `mbk.yaml`: from a path to a domain and a collection.
 *
 * A pattern is `.gitignore`-like: `*` and `?` stay within a name, `**` crosses folders, a trailing `/` or a bare folder
 * takes all that is below it, and a pattern without `/` matches at any depth. `{domain}` matches a listed domain, longest
 * first; any other `{name}` matches one part of a name. The first rule that matches decides.
 */

import { MbkError } from '@mbk/core';
import type { ProjectConfig, Rule } from './config.ts';

export interface Assignment {
  readonly domain: string;
  readonly collection: string;
}

/** Where files go that no rule names, and what belongs to no domain. */
export const otherCollection = 'other/files';
export const systemDomain = 'system';

/** The domain and collection of a path relative to the root, with `/` between its names. */
export type Assign = (path: string) => Assignment;

/** `config-invalid` if a rule's pattern cannot be read. */
export function compileRules({ rules, domains, file }: Pick<ProjectConfig, 'rules' | 'domains' | 'file'>): Assign {
  const compiled = rules.map((rule) => ({ rule, pattern: compilePattern(rule.match, domains, file) }));
  return (path) => {
    for (const { rule, pattern } of compiled) {
      const match = pattern.exec(path);
      if (match !== null) return assignment(rule, match.groups?.['domain']);
    }
    return { domain: systemDomain, collection: otherCollection };
  };
}

function assignment(rule: Rule, captured: string | undefined): Assignment {
  return { domain: rule.domain ?? captured ?? systemDomain, collection: rule.collection };
}

function compilePattern(pattern: string, domains: readonly string[], file: string): RegExp {
  const anchored = pattern.replace(/\/+$/, '').includes('/');
  const body = pattern.replace(/^\//, '').replace(/\/+$/, '');
  let source = anchored ? '' : '(?:.*/)?';
  let hasDomain = false;
  for (let at = 0; at < body.length;) {
    const rest = body.slice(at);
    const capture = /^\{([a-z][a-z0-9_]*)\}/.exec(rest);
    if (capture !== null) {
      const isFirstDomain: boolean = capture[1] === 'domain' && !hasDomain;
      source += isFirstDomain
        ? `(?<domain>${alternatives(domains)})`
        : capture[1] === 'domain'
          ? '\\k<domain>'
          : '[^/]+?';
      hasDomain ||= isFirstDomain;
      at += capture[0].length;
    } else if (rest.startsWith('**/')) {
      source += '(?:.*/)?';
      at += 3;
    } else if (rest.startsWith('**')) {
      source += '.*';
      at += 2;
    } else {
      source += single(rest[0] ?? '');
      at += 1;
    }
  }
  try {
    return new RegExp(`^${source}(?:/.*)?$`, 's');
  } catch (cause) {
    throw new MbkError('config-invalid', `${file}: the pattern ${JSON.stringify(pattern)} of a rule cannot be read`, {
      cause,
    });
  }
}

function single(character: string): string {
  if (character === '*') return '[^/]*';
  if (character === '?') return '[^/]';
  return RegExp.escape(character);
}

/** Longest first, so that `health-care` is not taken for `health`. No domain listed: nothing matches. */
function alternatives(domains: readonly string[]): string {
  if (domains.length === 0) return '(?!)';
  return [...domains]
    .sort((a, b) => b.length - a.length)
    .map((domain) => RegExp.escape(domain))
    .join('|');
}

/** Whether `collection` is one that `pattern` names: `*`, `models/*`, `models/checkpoint`. */
export function matchesCollection(pattern: string, collection: string): boolean {
  if (pattern === '*' || pattern === collection) return true;
  return pattern.endsWith('/*') && collection.startsWith(pattern.slice(0, -1));
}
