/** A repository scope of a token request: `repository:NAME:ACTION,ACTION`; undefined without any action. */
export function repositoryScope(repository: string, actions: readonly string[]): string | undefined {
  return cleanScopes([`repository:${repository}:${actions.join(',')}`])[0];
}

/**
 * Merges and sorts scopes: one per resource, its actions sorted and once each, `*` in place of all others.
 * Scopes without actions vanish; a scope that is not `type:name:actions` stays as it is.
 */
export function cleanScopes(scopes: readonly string[]): readonly string[] {
  const opaque = new Set<string>();
  const actionsOf = new Map<string, Set<string>>();
  for (const scope of scopes) {
    const end = scope.lastIndexOf(':');
    const resource = scope.slice(0, Math.max(end, 0));
    if (!resource.includes(':')) {
      if (scope !== '') opaque.add(scope);
      continue;
    }
    const actions = scope
      .slice(end + 1)
      .split(',')
      .filter((action) => action !== '');
    const known = actionsOf.get(resource) ?? new Set();
    for (const action of actions) known.add(action);
    if (known.size > 0) actionsOf.set(resource, known);
  }
  const merged = [...actionsOf].map(
    ([resource, actions]) => `${resource}:${actions.has('*') ? '*' : [...actions].sort().join(',')}`,
  );
  return [...opaque, ...merged].sort();
}
