from fsdl_course.serving import libraries


def test_every_server_stands_in_the_table_with_how_it_is_asked():
    known = libraries.libraries()
    rows = libraries.table(known).rows
    assert rows[0] == ["our service", "oip-binary", "/v2/models/meter-reader/infer"]
    assert {row[0] for row in rows} == {library.title for library in known.values()} and len(rows) > 5
    assert all(row[1] in libraries.FORMATS and row[2].startswith("/") for row in rows)
