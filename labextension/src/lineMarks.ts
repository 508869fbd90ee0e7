import { type Extension, type Range, StateEffect } from '@codemirror/state';
import { Decoration, type DecorationSet, type EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view';
import { type ISignal, Signal } from '@lumino/signaling';

/** What a line of a cell is marked as. A line of the path may be a problem too. */
export interface ILineMark {
  /** From 1. */
  readonly line: number;
  readonly kind: 'path' | 'error' | 'warning';
}

/**
 * The marked lines of cells. Editors come and go as a long notebook is scrolled: each asks here when it is made.
 */
export class LineMarks {
  /** Emitted with the cell's shared model. */
  get changed(): ISignal<LineMarks, object> {
    return this._changed;
  }

  of(cell: object): readonly ILineMark[] {
    return this._marks.get(cell) ?? [];
  }

  set(cell: object, marks: readonly ILineMark[]): void {
    if (JSON.stringify(this.of(cell)) !== JSON.stringify(marks)) {
      this._marks.set(cell, marks);
      this._changed.emit(cell);
    }
  }

  private readonly _marks = new WeakMap<object, readonly ILineMark[]>();
  private readonly _changed = new Signal<LineMarks, object>(this);
}

const refresh = StateEffect.define();

/**
 * Draws the marks of one cell in its editor.
 */
export function lineMarksExtension(marks: LineMarks, cell: object): Extension {
  return ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;

      constructor(private readonly _view: EditorView) {
        this.decorations = decorate(this._view, marks.of(cell));
        marks.changed.connect(this._onChanged, this);
      }

      update(update: ViewUpdate): void {
        const asked = update.transactions.some(item => item.effects.some(effect => effect.is(refresh)));
        if (asked) {
          this.decorations = decorate(update.view, marks.of(cell));
        } else if (update.docChanged) {
          // Marks move with their text until the next check says better.
          this.decorations = this.decorations.map(update.changes);
        }
      }

      destroy(): void {
        marks.changed.disconnect(this._onChanged, this);
      }

      private _onChanged(_: LineMarks, changed: object): void {
        if (changed === cell) {
          this._view.dispatch({ effects: refresh.of(null) });
        }
      }
    },
    { decorations: plugin => plugin.decorations }
  );
}

function decorate(view: EditorView, marks: readonly ILineMark[]): DecorationSet {
  const { doc } = view.state;
  const ranges: Range<Decoration>[] = [];
  for (const { line, kind } of marks) {
    if (line < 1 || line > doc.lines) {
      continue;
    }
    const at = doc.line(line);
    const start = at.from + (at.text.length - at.text.trimStart().length);
    if (kind === 'path') {
      ranges.push(Decoration.line({ class: 'nb2prod-Line-path' }).range(at.from));
    } else if (start < at.to) {
      ranges.push(Decoration.mark({ class: `nb2prod-Mark-${kind}` }).range(start, at.to));
    }
  }
  return Decoration.set(ranges, true);
}
