import Authority
import ObjectStorage

extension ObjectListing {
    /// The page without what the caller may not have: keys tell the values of partition columns.
    ///
    /// A page that ended at such a key goes on behind the whole place, so that no token holds one.
    func withoutRestricted(_ restriction: (String) -> PlaceRestriction?) -> ObjectListing {
        var page = self
        page.objects.removeAll { restriction($0.description.location.key) != nil }
        // The folder of a table is no secret; what is in it is.
        page.commonPrefixes.removeAll { prefix in
            guard let closed = restriction(prefix) else { return false }
            return prefix != closed.path && prefix != closed.path + "/"
        }
        if let next, let closed = restriction(next), next != closed.path + "/" {
            page.next = closed.path + "/\u{10FFFF}"
        }
        return page
    }
}
