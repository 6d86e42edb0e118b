import { Choice } from './parts/choice.tsx';
import { ThemeSwitch } from './parts/theme-switch.tsx';
import type { OpenReport } from './report.ts';
import { dateText, shortDigest } from './text.ts';

/** What is looked at; with two images also which of them, or their differences. */
export function Header({
  report,
  subject,
  onSubject,
}: {
  readonly report: OpenReport;
  readonly subject: string;
  readonly onSubject: (subject: string) => void;
}) {
  const [a, b] = report.images;
  const current = report.images[Number(subject)];
  return (
    <header class="header">
      <h1>
        {current === undefined ? (
          <>
            <bdi>{a?.title}</bdi>
            <span class="versus" aria-hidden="true">
              →
            </span>
            <span class="hidden"> compared with </span>
            <bdi>{b?.title}</bdi>
          </>
        ) : (
          <bdi>{current.title}</bdi>
        )}
      </h1>
      {current !== undefined && (
        <ul class="chips" aria-label="About the image">
          <li>{current.image.platform}</li>
          <li title={current.image.digest}>{shortDigest(current.image.digest)}</li>
          {current.image.created !== undefined && <li class="created">{dateText(current.image.created)}</li>}
        </ul>
      )}
      <div class="header-tools">
        {b !== undefined && (
          <Choice
            label="What to show"
            value={subject}
            onChange={onSubject}
            options={[
              { value: 'comparison', label: 'Differences' },
              { value: '0', label: 'First', title: a?.title ?? '' },
              { value: '1', label: 'Second', title: b.title },
            ]}
          />
        )}
        <ThemeSwitch />
      </div>
    </header>
  );
}
