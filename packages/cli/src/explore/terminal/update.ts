import { hasChildren } from '../model/rows.ts';
import { Mark, markBit, viewLayer } from '../model/view.ts';
import { moveInMap } from './move-map.ts';
import { type ExploreState, isFiltered, isOpen, openSubject, tabs, withRows } from './state.ts';

/** How many lines there are to move in. */
export interface UpdateOptions {
  /** Lines of the part that scrolls. */
  readonly height: number;
  readonly columns: number;
  /** Lines that there are to show, in tabs other than the files. */
  readonly lines: number;
}

/** What a key makes of the state; undefined when it ends the program. */
export function update(state: ExploreState, key: string, options: UpdateOptions): ExploreState | undefined {
  if (key === 'ctrl-c' || (key === 'q' && !state.isTyping)) return undefined;
  if (state.isHelp) return { ...state, isHelp: false };
  if (state.isTyping) return type(state, key);
  const inMap = state.tab === 'map' ? moveInMap(state, key, options) : undefined;
  const changed = inMap ?? command(state, key) ?? move(state, key, options);
  return scrolled(changed, options);
}

/** Moves what is in sight so that the cursor is in it. */
export function scrolled(state: ExploreState, { height, lines }: UpdateOptions): ExploreState {
  if (state.tab !== 'files') {
    return { ...state, top: Math.max(0, Math.min(state.top, lines - height)) };
  }
  const { cursor } = state;
  const top = Math.min(Math.max(state.top, cursor - height + 1), cursor);
  return { ...state, top: Math.max(0, Math.min(top, Math.max(0, state.rows.length - height))) };
}

function type(state: ExploreState, key: string): ExploreState {
  const { query } = state;
  if (key === 'enter' || key === 'tab') return { ...state, isTyping: false };
  if (key === 'escape') return filtered(state, { query: '', isTyping: false });
  if (key === 'backspace') return filtered(state, { query: [...query].slice(0, -1).join('') });
  if (key === 'down' || key === 'up') return { ...state, isTyping: false };
  return [...key].length === 1 ? filtered(state, { query: query + key }) : state;
}

function command(state: ExploreState, key: string): ExploreState | undefined {
  const isFiles = state.tab === 'files';
  const tab = tabs[Number(key) - 1];
  if (tab !== undefined) return { ...state, tab, top: 0 };
  switch (key) {
    case 'tab':
    case 'shift-tab': {
      const step = key === 'tab' ? 1 : tabs.length - 1;
      return { ...state, tab: tabs[(tabs.indexOf(state.tab) + step) % tabs.length] ?? 'files', top: 0 };
    }
    case '?':
    case 'h':
      return { ...state, isHelp: true };
    case 'i':
      return openSubject(state, (state.subject + 1) % state.subjects.length);
    case '[':
    case ']':
      return toLayer(state, state.layer + (key === '[' ? -1 : 1));
    case '/':
      return { ...state, tab: 'files', isTyping: true };
    case 'escape':
      return filtered(state, { query: '', only: 0 });
    case 'a':
    case '+':
      return isFiles ? filtered(state, { only: state.only ^ markBit(Mark.added) }) : undefined;
    case 'c':
    case '~':
      return isFiles ? filtered(state, { only: state.only ^ markBit(Mark.changed) }) : undefined;
    case 'r':
    case '-':
      return isFiles ? filtered(state, { only: state.only ^ markBit(Mark.removed) }) : undefined;
    case 's':
      return isFiles ? withRows({ ...state, sort: state.sort === 'name' ? 'size' : 'name' }) : undefined;
    default:
      return undefined;
  }
}

function toLayer(state: ExploreState, layer: number): ExploreState {
  const subject = state.subjects[state.subject];
  // Differences have no layers to go through.
  if (subject?.image === undefined || layer < 0 || layer >= subject.layers) return state;
  return withRows({ ...state, layer, view: viewLayer(subject.tree, layer) });
}

/** A filter that comes or goes opens or closes all directories. */
function filtered(
  state: ExploreState,
  change: Partial<Pick<ExploreState, 'query' | 'only' | 'isTyping'>>,
): ExploreState {
  const next = { ...state, ...change };
  return withRows(isFiltered(next) === isFiltered(state) ? next : { ...next, toggled: new Set() });
}

function move(state: ExploreState, key: string, { height }: UpdateOptions): ExploreState {
  const steps: Readonly<Record<string, number>> = {
    up: -1,
    k: -1,
    down: 1,
    j: 1,
    'page-up': 1 - height,
    'page-down': height - 1,
    home: Number.NEGATIVE_INFINITY,
    g: Number.NEGATIVE_INFINITY,
    end: Number.POSITIVE_INFINITY,
    G: Number.POSITIVE_INFINITY,
  };
  const step = steps[key];
  if (state.tab !== 'files') {
    if (step === undefined) return state;
    return { ...state, top: step === Number.POSITIVE_INFINITY ? 1e9 : Math.max(0, state.top + step) };
  }
  if (step !== undefined) {
    const last = Math.max(0, state.rows.length - 1);
    return { ...state, cursor: Math.min(Math.max(state.cursor + step, 0), last) };
  }
  return turn(state, key);
}

/** Opens and closes directories. */
function turn(state: ExploreState, key: string): ExploreState {
  const node = state.rows[state.cursor];
  if (node === undefined) return state;
  const isExpandable = hasChildren(state.view, node);
  const opened = isExpandable && isOpen(state, node);
  if (key === 'enter' || key === ' ') return isExpandable ? toggled(state, node) : state;
  if (key === 'right' || key === 'l') {
    if (isExpandable && !opened) return toggled(state, node);
    return opened ? { ...state, cursor: Math.min(state.cursor + 1, state.rows.length - 1) } : state;
  }
  if (key !== 'left') return state;
  if (opened) return toggled(state, node);
  const parent = state.rows.indexOf(state.view.tree.parents[node] ?? 0);
  return parent < 0 ? state : { ...state, cursor: parent };
}

function toggled(state: ExploreState, node: number): ExploreState {
  const next = new Set(state.toggled);
  if (!next.delete(node)) next.add(node);
  return withRows({ ...state, toggled: next });
}
