import { useState } from 'preact/hooks';
import { Header } from './header.tsx';
import type { OpenReport } from './report.ts';
import { ComparisonView } from './views/comparison-view.tsx';
import { ImageView } from './views/image-view.tsx';

/** The whole page: what the header chooses is shown below. */
export function App({ report }: { readonly report: OpenReport }) {
  const [subject, setSubject] = useState(report.comparison === undefined ? '0' : 'comparison');
  const opened = report.images[Number(subject)];
  return (
    <>
      <Header report={report} subject={subject} onSubject={setSubject} />
      {opened !== undefined && <ImageView key={subject} opened={opened} />}
      {subject === 'comparison' && report.comparison !== undefined && (
        <ComparisonView images={report.images} comparison={report.comparison} />
      )}
    </>
  );
}
