import ast

import pytest

from jamguard.audit.sql import find_built


def flagged(code: str) -> bool:
    return bool(list(find_built(ast.parse(code))))


@pytest.mark.parametrize(
    "code",
    [
        "task.execute('DELETE FROM T WHERE A = ' + name)",
        "task.execute(\"DELETE FROM T WHERE A = '%s'\" % name)",
        "task.execute(f\"SELECT * FROM T WHERE A = '{name}'\")",
        "task.execute('SELECT * FROM T WHERE A = {}'.format(name))",
        "task.select('SELECT A FROM {t}'.format(t=table))",
        "cursor.execute('SELECT A FROM T WHERE A IN (%s)' % ','.join(names))",
        "q = 'SELECT * FROM T WHERE A = ' + name\ntask.execute(q)",
        "def f(item, name):\n    q = 'SELECT 1 WHERE 1 = %s' % name\n    return item.select(q)",
        "q: str = f'UPDATE T SET A = {a}'\ntask.execute(q)",
        "task.execute(['DELETE FROM T WHERE A = ' + a])",
        "cursor.execute_query(cursor, query='SELECT 1 WHERE A = ' + a)",
        "for name in names:\n    task.execute('DROP TABLE ' + name)",
        "a, b = given()\ntask.execute('DROP TABLE ' + a)",
        "q = 'SELECT 1'\nq += ' WHERE A = ' + a\ntask.execute(q)",
        "where = ' WHERE A = ' + a\ntask.execute('SELECT 1' + where)",
        "q = 'SELECT 1'\nq = q + ' WHERE A = ' + a\ntask.execute(q)",
        "p = 'DROP TABLE ' + a\nq = p\ntask.execute(q)",
        "task.execute('SELECT 1 WHERE A = %s' % (1, a))",
        "task.execute('SELECT ' + ('a' if x else b))",
        "task.execute('SELECT 1 WHERE A = ' + item.name.value)",
        "name = 'T'\ndef f(item, name):\n    item.task.execute('DROP TABLE ' + name)",
        "f = lambda a: task.execute('DROP TABLE ' + a)",
        "def f(task):\n    def g(a):\n        task.execute('DROP TABLE ' + a)\n    return g",
    ],
)
def test_values_in_sql_are_found(code: str) -> None:
    assert flagged(code)


@pytest.mark.parametrize(
    "code",
    [
        "task.execute('SELECT 1')",
        "task.execute('DELETE FROM T WHERE A = ?', [name])",
        "task.execute('SELECT 1 ' + 'FROM T')",
        "task.execute('SELECT 1 WHERE A = %d' % number)",
        "task.execute('SELECT 1 WHERE A = %d AND B = %5.2f' % (a, b))",
        "task.execute('SELECT 1 WHERE A = ' + str(int(a)))",
        "task.execute(f'SELECT 1 LIMIT {int(a)}')",
        "TABLE = 'T'\ntask.execute('SELECT 1 FROM ' + TABLE)",
        "TABLE = 'T'\nq = f'SELECT 1 FROM {TABLE}'\ntask.execute(q)",
        "task.execute('SELECT 1 WHERE A IN (%s)' % ','.join('?' * len(names)), names)",
        "task.execute('SELECT 1 WHERE A IN (%s)' % ','.join(['?' for _ in names]), names)",
        "task.execute('SELECT 1 WHERE A IN (%s)' % ','.join('?' for _ in names), names)",
        "task.execute('SELECT 1 WHERE A IN ({})'.format('?,' * 3))",
        "task.execute('SELECT ' + ('a' if x else 'b'))",
        "q = 'SELECT 1'\nif x:\n    q += ' WHERE A = 1'\ntask.execute(q)",
        "q = 'SELECT 1'\nif a:\n    q = q + ' WHERE A = ?'\ntask.execute(q, [a])",
        "q = [q]\nq = q\ntask.execute(q)",
        "task.execute(query)",
        "def f(q):\n    task.execute(q)\ndef g(a):\n    q = 'DROP TABLE ' + a\n    return q",
        "SQL = 'SELECT 1'\ndef f(item):\n    item.task.select(SQL + ' WHERE A = 1')",
        "task.execute(make(name))",
        "task.execute(query())",
        "form.select('the ' + name)",
        "log('SELECT 1 WHERE A = ' + name)",
        "x.y = 1\ntask.execute('SELECT 1')",
        "[task.execute('SELECT 1') for a in b]",
    ],
)
def test_sql_without_values_is_left_alone(code: str) -> None:
    assert not flagged(code)
