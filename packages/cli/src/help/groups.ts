/** The commands as the overview shows them, by what a person wants to do; hidden commands are in no group. */
export const commandGroups: readonly { readonly title: string; readonly commands: readonly string[] }[] = [
  {
    title: 'Get, send and name images',
    commands: ['pull', 'push', 'copy', 'images', 'tag', 'rmi', 'save', 'load'],
  },
  {
    title: 'Run containers',
    commands: words('run ps exec logs stats stop kill pause unpause wait rm'),
  },
  { title: 'Unpack and make images', commands: words('unpack repack spec build') },
  { title: 'Look inside images', commands: words('inspect ls cat diff history export explore validate') },
  { title: 'Edit images', commands: words('config append annotate squash flatten rebase index manifest') },
  {
    title: 'Work with registries',
    commands: words('login logout tags catalog delete referrers attach artifact serve'),
  },
  { title: 'Trust', commands: words('sign verify generate-key-pair') },
  { title: 'Look after this machine', commands: words('doctor gc fsck completion') },
];

function words(text: string): readonly string[] {
  return text.split(' ');
}
