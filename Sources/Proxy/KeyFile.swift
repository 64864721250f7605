import EventLoop
import Primitives

/// A file that is read again when it changes, and the last content that was right.
///
/// A change is seen by `stat`: time, size or inode. After a change the file is read once more at the next look:
/// whoever writes it in place may not have been done, and two writes within one tick of the file system's clock
/// look the same.
final class KeyFile<Content> {
    /// What a look brought.
    enum Outcome {
        case same
        case changed
        case bad(KeyProblem)
    }

    let path: String
    /// The last content that was right.
    private(set) var content: Content?
    /// Why the file as it is now is not used.
    private(set) var problem: KeyProblem?

    private let limit: Int
    private let parse: ([UInt8]) -> Result<Content, KeyProblem>
    private var stamp: FileStamp?
    private var wantsSecondLook = false
    /// Of the bytes that were read last.
    private var digest: Digest128?
    private let seed = KeyedHasher.Seed.random()

    init(
        _ path: String, limit: Int, parse: @escaping ([UInt8]) -> Result<Content, KeyProblem>
    ) {
        self.path = path
        self.limit = limit
        self.parse = parse
    }

    /// Looks whether the file has changed, and reads it if so.
    func look(_ world: KeyWorld) -> Outcome {
        let now: FileStamp
        let bytes: [UInt8]
        do throws(HostError) {
            now = try world.stamp(path)
            let isNew = now != stamp
            guard isNew || wantsSecondLook else { return .same }
            // A pipe would hold the loop up.
            guard now.isRegular else { return miss("not a regular file") }
            bytes = try world.read(path, limit + 1)
            wantsSecondLook = isNew
        } catch {
            return miss("cannot be read: \(error.text)")
        }
        stamp = now
        guard bytes.count <= limit else {
            wantsSecondLook = false
            return reject("larger than \(limit) bytes")
        }
        var hasher = KeyedHasher(seed: seed)
        hasher.append(bytes.span)
        let found = hasher.finish()
        if found == digest { return .same }
        digest = found
        switch parse(bytes) {
        case .success(let new):
            content = new
            problem = nil
            return .changed
        case .failure(let reason): return reject(reason.reason)
        }
    }

    /// Notes that the file is not there to be read: once, until that changes.
    private func miss(_ reason: String) -> Outcome {
        stamp = nil
        digest = nil
        if problem?.reason == reason { return .same }
        return reject(reason)
    }

    private func reject(_ reason: String) -> Outcome {
        let found = KeyProblem(source: path, reason: reason)
        problem = found
        return .bad(found)
    }
}
