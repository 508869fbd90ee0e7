"""From a serving path to a Bento: its project folder, its pinned environment, its version and its place in the store.

Modules here are imported one by one (`nb2prod.bento.store`, `nb2prod.bento.package`, ...); importing the
package loads none of them, so that a command pays only for what it uses.
"""
