import type { SubjectOptions } from './subject.ts';

/** Shows who asks. */
export interface Authorize {
  /** The `Authorization` header to send now, if any. */
  header(): Promise<string | undefined>;
  /** Obtains what a challenge asks for; false when nothing new can be shown. */
  answer(challenge: string): Promise<boolean>;
}

/** Answers Basic challenges, and Bearer challenges by asking their token service. */
export function createAuthorize({ username, password }: SubjectOptions): Authorize {
  const basic =
    username === undefined
      ? undefined
      : `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`;
  let current: string | undefined;
  return {
    header: async () => current,
    async answer(challenge) {
      if (/^basic /i.test(challenge)) {
        if (basic === undefined || current === basic) return false;
        current = basic;
        return true;
      }
      const parameter = (name: string): string | undefined =>
        new RegExp(`${name}="([^"]*)"`, 'i').exec(challenge)?.[1];
      const realm = parameter('realm');
      if (!/^bearer /i.test(challenge) || realm === undefined) return false;
      const service = new URL(realm);
      for (const name of ['service', 'scope']) {
        const value = parameter(name);
        if (value !== undefined) service.searchParams.set(name, value);
      }
      const answer = await fetch(service, { headers: basic === undefined ? {} : { authorization: basic } });
      if (!answer.ok) return false;
      const { token, access_token: accessToken } = (await answer.json()) as Record<string, string>;
      current = `Bearer ${token ?? accessToken}`;
      return true;
    },
  };
}
